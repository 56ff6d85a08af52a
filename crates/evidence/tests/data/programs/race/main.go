// Command race has a data race on a map and one on a variable.
package main

import (
	"fmt"
	"sync"
)

type Cache struct{ m map[string]int }

func (c *Cache) Put(k string, v int) { c.m[k] = v }

func main() {
	c := &Cache{m: map[string]int{}}
	n := 0
	var wg sync.WaitGroup
	for i := 0; i < 2; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c.Put("k", 1)
			n++
		}()
	}
	n++
	wg.Wait()
	fmt.Println(n)
}
