// An error of the program's own that prints like one of the runtime's.
package main

import "fmt"

type outOfRange struct{ index, length int }

func (e outOfRange) Error() string {
	return fmt.Sprintf("runtime error: index out of range [%d] with length %d", e.index, e.length)
}

type ring struct{ slots []int }

//go:noinline
func (r *ring) at(i int) int {
	if i >= len(r.slots) {
		panic(outOfRange{i, len(r.slots)})
	}
	return r.slots[i]
}

func main() {
	r := &ring{slots: make([]int, 3)}
	fmt.Println(r.at(5))
}
