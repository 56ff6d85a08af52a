// A panic with a number of a named type.
package main

type exitCode int

//go:noinline
func exit(c exitCode) {
	panic(c)
}

func main() {
	exit(78)
}
