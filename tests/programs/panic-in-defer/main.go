// Cleanup that fails while a panic is already on its way: two values in the chain, the first one
// is recovered in between by nobody.
package main

import "fmt"

type txError struct {
	Table string
	Row   int
}

func (e txError) Error() string {
	return fmt.Sprintf("constraint violated in %s, row %d", e.Table, e.Row)
}

type tx struct {
	open bool
	name string
	rows []int
}

//go:noinline
func (t *tx) insert(row int) {
	t.rows = append(t.rows, row)
	if row == 3 {
		panic(txError{Table: "orders", Row: row})
	}
}

//go:noinline
func (t *tx) rollback() {
	if t.open {
		panic(fmt.Errorf("rollback %s: %w", t.name, errClosed))
	}
}

var errClosed = fmt.Errorf("connection is closed")

//go:noinline
func importRows(n int) int {
	t := &tx{open: true, name: "import-7"}
	defer t.rollback()
	for i := 0; i < n; i++ {
		t.insert(i)
	}
	t.open = false
	return len(t.rows)
}

func main() {
	fmt.Println(importRows(10))
}
