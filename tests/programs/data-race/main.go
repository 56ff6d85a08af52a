// A counter that requests count up without a lock, built with the race detector.
package main

import (
	"fmt"
	"sync"
)

type stats struct {
	requests int
	names    []string
}

//go:noinline
func (s *stats) count() {
	s.requests++
}

//go:noinline
func serve(s *stats, wg *sync.WaitGroup) {
	defer wg.Done()
	for i := 0; i < 1000; i++ {
		s.count()
	}
}

func main() {
	s := &stats{}
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go serve(s, &wg)
	}
	wg.Wait()
	fmt.Println(s.requests)
}
