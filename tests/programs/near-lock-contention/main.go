// Some goroutines wait for a lock whose holder works: slow, and no deadlock.
package main

import (
	"fmt"
	"sync"
	"time"
)

type report struct {
	mu    sync.Mutex
	lines []string
}

//go:noinline
func (r *report) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	time.Sleep(10 * time.Second)
	r.lines = append(r.lines, line)
}

func main() {
	a, b := &report{}, &report{}
	for i := 0; i < 3; i++ {
		go a.add("x")
		go b.add("y")
	}
	time.Sleep(50 * time.Millisecond)
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
