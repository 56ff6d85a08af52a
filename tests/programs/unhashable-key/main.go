// A memo table with keys of any type meets a slice.
package main

import "fmt"

type memo struct{ seen map[any]int }

//go:noinline
func (m *memo) visit(key any) int {
	m.seen[key]++
	return m.seen[key]
}

func main() {
	m := &memo{seen: map[any]int{}}
	for _, k := range []any{1, "two", 3.0, [2]int{4, 5}, []string{"six"}} {
		fmt.Println(m.visit(k))
	}
}
