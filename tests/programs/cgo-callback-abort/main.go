// Goroutines that are blocked in Go code which C called (Go, C, Go, C, Go for one of them), while
// another goroutine writes to a nil map.
package main

/*
#cgo CFLAGS: -g -O1
#include "relay.h"
*/
import "C"

import (
	"fmt"
	"time"
)

var (
	gate    = make(chan struct{})
	entered = make(chan int, 4)
)

//export goWait
func goWait(depth C.int) C.int {
	if depth > 0 {
		return C.relay(depth-1) + 1
	}
	entered <- int(depth)
	<-gate
	return 0
}

//go:noinline
func relay(depth int) int {
	return int(C.relay(C.int(depth)))
}

//go:noinline
func count(names []string) map[string]int {
	var seen map[string]int
	for _, name := range names {
		seen[name]++
	}
	return seen
}

func main() {
	go relay(0)
	go relay(1)
	<-entered
	<-entered
	time.Sleep(20 * time.Millisecond)
	fmt.Println(count([]string{"pear", "apple"}))
}
