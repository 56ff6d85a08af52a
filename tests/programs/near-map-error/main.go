// An error with the words of a fatal error. A fatal error is no panic.
package main

import (
	"errors"
	"sync"
)

var errConcurrent = errors.New("concurrent map writes")

type guarded struct {
	mu   sync.Mutex
	busy bool
	m    map[string]int
}

//go:noinline
func (g *guarded) set(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy {
		panic(errConcurrent)
	}
	g.m[key]++
}

func main() {
	g := &guarded{m: map[string]int{}}
	g.set("a")
	g.busy = true
	g.set("b")
}
