package example

// At most so many calls hold a thread at once.
type limited struct{ slots chan struct{} }

func newLimited(most int) *limited { return &limited{slots: make(chan struct{}, most)} }

func (l *limited) do(blocking func()) {
	l.slots <- struct{}{}
	defer func() { <-l.slots }()
	blocking()
}
