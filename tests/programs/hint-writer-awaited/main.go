// The near miss of hint-writer-outlives: who started the writers waits for them.
package main

import (
	"fmt"
	"sync"
)

type index struct{ words map[int]int }

//go:noinline
func (ix *index) write(from int) {
	for i := 0; i < 1<<28; i++ {
		ix.words[(from+i)%512] = i
	}
}

//go:noinline
func build(n int) *index {
	ix := &index{words: map[int]int{}}
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		i := i
		wg.Add(1)
		go func() {
			defer wg.Done()
			ix.write(i * 64)
		}()
	}
	wg.Wait()
	return ix
}

func main() {
	fmt.Println(len(build(4).words))
}
