// A header is read out of a buffer that is shorter than the header, with the checks compiled in.
package main

import (
	"fmt"
	"os"
	"unsafe"
)

type header struct {
	Magic  uint32
	Flags  uint32
	Length uint64
	Offset uint64
}

//go:noinline
func parse(b []byte) *header {
	return (*header)(unsafe.Pointer(&b[0]))
}

//go:noinline
func read(n int) *header {
	b := make([]byte, n)
	copy(b, "\x7fABC")
	return parse(b)
}

func main() {
	h := read(8 + len(os.Args) - 1)
	fmt.Println(h.Magic, h.Length)
}
