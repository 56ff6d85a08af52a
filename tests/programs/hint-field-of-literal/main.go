// The near miss of hint-field-never-made: the constructor makes the map, and somebody does not call it.
package main

import (
	"fmt"
	"os"
)

type Tracker struct {
	name   string
	byName map[string]int
}

//go:noinline
func NewTracker(name string, size int) *Tracker {
	return &Tracker{name: name, byName: make(map[string]int, size)}
}

//go:noinline
func (t *Tracker) Track(name string) {
	t.byName[name]++
}

//go:noinline
func clone(t *Tracker) *Tracker {
	return &Tracker{name: t.name + "-copy"}
}

func main() {
	t := NewTracker("first", len(os.Args)*64)
	t.Track("login")
	clone(t).Track("login")
	fmt.Println(t.name)
}
