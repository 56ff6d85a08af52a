// Several workers count requests by path into one map without a lock.
package main

import (
	"fmt"
	"sync"
)

type stats struct {
	byPath map[string]int
	total  int
}

//go:noinline
func (s *stats) record(path string, n int) {
	s.byPath[path] += n
}

//go:noinline
func worker(id int, s *stats, rounds int, wg *sync.WaitGroup) {
	defer wg.Done()
	for i := 0; i < rounds; i++ {
		s.record(fmt.Sprintf("/api/v1/items/%d", (i+id)%512), 1)
	}
}

func main() {
	s := &stats{byPath: make(map[string]int)}
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go worker(i, s, 2_000_000, &wg)
	}
	wg.Wait()
	fmt.Println("not detected", len(s.byPath))
}
