// A mutex unlocked on both the error path and by defer.
package main

import (
	"errors"
	"fmt"
	"sync"
)

type journal struct {
	mu      sync.Mutex
	entries []string
	max     int
}

var errFull = errors.New("journal is full")

//go:noinline
func (j *journal) append(e string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) >= j.max {
		j.mu.Unlock()
		return errFull
	}
	j.entries = append(j.entries, e)
	return nil
}

func main() {
	j := &journal{max: 2}
	for i := 0; i < 3; i++ {
		fmt.Println(j.append(fmt.Sprint("entry ", i)))
	}
}
