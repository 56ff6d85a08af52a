// Package stock has the bugs of generic and embedded types.
package stock

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"
)

// Shelf is embedded: its methods are called through wrappers.
type Shelf struct{ places []string }

// Find fails on an empty shelf.
func (s *Shelf) Find(at int) string { return s.places[at] }

// Finder is what calls through a wrapper.
type Finder interface{ Find(at int) string }

// House has a shelf and its methods.
type House struct {
	name string
	*Shelf
}

// NewHouse has an empty shelf.
func NewHouse() Finder { return House{name: "house", Shelf: &Shelf{}} }

// Table is a generic type.
type Table[K comparable, V any] struct {
	mu   sync.Mutex
	rows map[K]V
}

// Put locks and writes to a map that nobody made.
func (t *Table[K, V]) Put(key K, value V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[key] = value
}

// Must panics with a value of a type of its own.
func Must[T any](value T, ok bool) T {
	if !ok {
		panic(Missing{Article: fmt.Sprint(value)})
	}
	return value
}

// Missing is a panic's value.
type Missing struct{ Article string }

func (m Missing) Error() string { return "no such article: " + m.Article }

// Article marshals itself, badly.
type Article struct{ Tags []string }

// MarshalJSON is called by reflection.
func (a Article) MarshalJSON() ([]byte, error) { return json.Marshal(a.Tags[0]) }

// Deep fills a stack that is smaller than usual, so that its core is, too.
func Deep() int {
	debug.SetMaxStack(4 << 20)
	return Depth(0)
}

// Depth recurses with its twin until the stack is full.
func Depth(n int) int { return depthOf(n+1) + 1 }

func depthOf(n int) int { return Depth(n+1) + 1 }

// Hash uses a key that cannot be one.
func Hash(key any) map[any]int { return map[any]int{key: 1} }

// Convert asserts a type.
func Convert(value any) string { return value.(fmt.Stringer).String() }
