// One Done too many.
package main

import "sync"

//go:noinline
func job(id int, wg *sync.WaitGroup) {
	defer wg.Done()
	if id == 2 {
		wg.Done()
	}
}

func main() {
	for {
		var wg sync.WaitGroup
		for i := 0; i < 3; i++ {
			wg.Add(1)
			job(i, &wg)
		}
		wg.Wait()
	}
}
