// The near miss of hint-recover-elsewhere: a recover is in the program, but not with who started the
// goroutine.
package main

import (
	"fmt"
	"os"
	"sync"
)

type batch struct{ rows [][]string }

//go:noinline
func (b *batch) column(row, n int) string { return b.rows[row][n] }

//go:noinline
func (b *batch) parse(row int, wg *sync.WaitGroup) {
	defer wg.Done()
	fmt.Println(b.column(row, 2))
}

//go:noinline
func (b *batch) run() {
	var wg sync.WaitGroup
	for row := range b.rows {
		wg.Add(1)
		go b.parse(row, &wg)
	}
	wg.Wait()
}

//go:noinline
func warm(b *batch) (n int) {
	defer func() {
		if recover() != nil {
			n = -1
		}
	}()
	return len(b.column(0, 1))
}

func main() {
	b := &batch{rows: [][]string{{"id", "name"}}}
	fmt.Println(warm(b), len(os.Args))
	b.run()
}
