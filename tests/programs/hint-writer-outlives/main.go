// A function starts writers of a map and returns before they are done.
package main

import (
	"fmt"
	"time"
)

type index struct{ words map[int]int }

//go:noinline
func (ix *index) write(from int) {
	for i := 0; ; i++ {
		ix.words[(from+i)%512] = i
	}
}

//go:noinline
func build(n int) *index {
	ix := &index{words: map[int]int{}}
	for i := 0; i < n; i++ {
		go ix.write(i * 64)
	}
	return ix
}

func main() {
	ix := build(4)
	time.Sleep(10 * time.Second)
	fmt.Println(len(ix.words))
}
