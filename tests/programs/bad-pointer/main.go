// An address is kept as a number over a collection and becomes a pointer again: what it pointed to is
// gone, and the collector finds the pointer in the heap.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"unsafe"
)

type page struct{ data [1 << 20]byte }

type handle struct{ address uintptr }

type entry struct {
	name string
	page *page
}

//go:noinline
func store(n int) handle {
	p := new(page)
	p.data[n] = 1
	return handle{uintptr(unsafe.Pointer(p))}
}

//go:noinline
func load(h handle) *page {
	return *(**page)(unsafe.Pointer(&h.address))
}

var entries []*entry

func main() {
	h := store(7)
	for i := 0; i < 3; i++ {
		runtime.GC()
		debug.FreeOSMemory()
	}
	entries = append(entries, &entry{name: "first", page: load(h)})
	for i := 0; i < 3; i++ {
		runtime.GC()
	}
	fmt.Println(len(entries))
}
