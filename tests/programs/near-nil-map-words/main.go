// The runtime's words for a nil map, out of the program's own mouth.
package main

import "os"

//go:noinline
func set(m map[string]int, key string) {
	if m == nil {
		panic("assignment to entry in nil map")
	}
	m[key]++
}

func main() {
	var m map[string]int
	set(m, os.Args[0])
}
