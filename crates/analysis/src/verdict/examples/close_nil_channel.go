package example

// The channel is there from the start, so that Stop needs no Start.
type Watcher struct{ done chan struct{} }

func NewWatcher() *Watcher { return &Watcher{done: make(chan struct{})} }

func (w *Watcher) Stop() { close(w.done) }
