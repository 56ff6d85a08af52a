// Package shape has embedded methods, an interface and generic functions.
package shape

// Shape has an area.
type Shape interface {
	Area() float64
	WaitOn(gate <-chan struct{})
}

// Base is embedded.
type Base struct {
	Name string
	N    int
}

// WaitOn waits for the gate.
//
//go:noinline
func (b *Base) WaitOn(gate <-chan struct{}) {
	b.N++
	<-gate
}

// Box embeds Base.
type Box struct {
	Base
	W, H float64
}

// NewBox makes a box.
func NewBox(name string, w, h float64) *Box { return &Box{Base: Base{Name: name}, W: w, H: h} }

// Area is width by height.
func (b Box) Area() float64 { return b.W * b.H }

// Park waits with a value of any type.
//
//go:noinline
func Park[T any](gate <-chan struct{}, v T) T {
	<-gate
	return v
}

// Each calls f for every element.
//
//go:noinline
func Each[E any](xs []E, f func(int, E)) {
	for i, x := range xs {
		f(i, x)
	}
}

// Stack is generic over two types.
type Stack[K comparable, V any] struct {
	index map[K]int
	items []V
}

// PushWait adds an item and waits.
//
//go:noinline
func (s *Stack[K, V]) PushWait(k K, v V, gate <-chan struct{}) {
	if s.index == nil {
		s.index = map[K]int{}
	}
	s.index[k] = len(s.items)
	s.items = append(s.items, v)
	<-gate
}
