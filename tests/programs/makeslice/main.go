// A length from the wire becomes an allocation.
package main

import (
	"encoding/binary"
	"fmt"
)

//go:noinline
func readBlock(header []byte) []uint64 {
	n := int64(binary.LittleEndian.Uint64(header))
	return make([]uint64, n)
}

func main() {
	fmt.Println(len(readBlock([]byte{4, 0, 0, 0, 0, 0, 0, 0})))
	fmt.Println(len(readBlock([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})))
}
