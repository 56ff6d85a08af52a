// Who starts the goroutine defers a recover, which cannot reach it.
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
func (b *batch) run() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("batch: %v", r)
		}
	}()
	var wg sync.WaitGroup
	for row := range b.rows {
		wg.Add(1)
		go b.parse(row, &wg)
	}
	wg.Wait()
	return nil
}

func main() {
	b := &batch{rows: [][]string{{"id", "name"}}}
	fmt.Println(b.run(), len(os.Args))
}
