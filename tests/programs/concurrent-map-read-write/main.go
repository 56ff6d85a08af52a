// A service registry that is read by lookups while a refresher writes to it.
package main

import (
	"fmt"

	"example.com/panicle/concurrent-map-read-write/registry"
)

//go:noinline
func refresh(r *registry.Registry, rounds int) {
	for i := 0; i < rounds; i++ {
		r.Set(uint64(i%1024), registry.Endpoint{Host: "10.0.0.1", Port: uint16(i)})
	}
}

//go:noinline
func lookups(r *registry.Registry, rounds int, found chan<- int) {
	n := 0
	for i := 0; i < rounds; i++ {
		if r.Lookup(uint64(i%1024)).Port != 0 {
			n++
		}
	}
	found <- n
}

func main() {
	r := registry.New()
	found := make(chan int)
	for i := 0; i < 4; i++ {
		go lookups(r, 50_000_000, found)
	}
	refresh(r, 20_000_000)
	fmt.Println("not detected", <-found)
}
