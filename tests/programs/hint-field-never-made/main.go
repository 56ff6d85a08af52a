// A constructor that makes one of the two maps.
package main

import (
	"fmt"
	"os"
	"time"
)

type Tracker struct {
	started time.Time
	byName  map[string]int
	byUser  map[string][]string
}

//go:noinline
func NewTracker(size int) *Tracker {
	return &Tracker{started: time.Now(), byName: make(map[string]int, size)}
}

//go:noinline
func (t *Tracker) Track(user, name string) {
	t.byName[name]++
	t.byUser[user] = append(t.byUser[user], name)
}

func main() {
	t := NewTracker(len(os.Args) * 64)
	t.Track("ada", "login")
	fmt.Println(t.started)
}
