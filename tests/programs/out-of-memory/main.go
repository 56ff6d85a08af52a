// A cache without a limit in a process that may not have more than a gigabyte.
package main

import (
	"fmt"
	"syscall"
)

type cache struct{ pages [][]byte }

//go:noinline
func (c *cache) add(n int) {
	c.pages = append(c.pages, make([]byte, n))
}

//go:noinline
func fill(c *cache) {
	for i := 0; ; i++ {
		c.add(64 << 20)
	}
}

func main() {
	limit := syscall.Rlimit{Cur: 1 << 30, Max: 1 << 30}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		panic(err)
	}
	c := &cache{}
	fill(c)
	fmt.Println(len(c.pages))
}
