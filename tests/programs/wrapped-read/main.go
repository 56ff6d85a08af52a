// A nil dereference two calls below the program, with a wrapper of the compiler's in between: *bufio.ReadWriter
// has Read of the *bufio.Reader in it.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

//go:noinline
func open(args int) io.Reader {
	if args > 9 {
		return os.Stdin
	}
	return &bufio.ReadWriter{}
}

//go:noinline
func receive(from io.Reader) int {
	n, err := from.Read(make([]byte, 8))
	if err != nil {
		return -1
	}
	return n
}

func main() {
	fmt.Println(receive(open(len(os.Args))))
}
