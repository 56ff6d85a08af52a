// A mapped file that shrinks under its reader: SIGBUS at an address that is no nil pointer.
package main

import (
	"fmt"
	"os"
	"syscall"
)

//go:noinline
func checksum(page []byte) (sum uint32) {
	for _, b := range page {
		sum = sum*31 + uint32(b)
	}
	return sum
}

//go:noinline
func mapFile(f *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
}

func main() {
	f, err := os.CreateTemp("", "panicle-fault")
	if err != nil {
		panic(err)
	}
	_ = os.Remove(f.Name())
	if err := f.Truncate(8192); err != nil {
		panic(err)
	}
	b, err := mapFile(f, 8192)
	if err != nil {
		panic(err)
	}
	fmt.Println(checksum(b))
	if err := f.Truncate(4096); err != nil {
		panic(err)
	}
	fmt.Println(checksum(b[4096:]))
}
