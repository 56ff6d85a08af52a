// Goroutines that are blocked in C: one in read(2), one in pause(2) on a locked thread; another
// goroutine panics.
package main

/*
#cgo CFLAGS: -g -O1
#include "block.h"
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

//go:noinline
func readInC(fd uintptr) int {
	return int(C.read_message(C.int(fd)))
}

//go:noinline
func pauseInC() int {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return int(C.wait_for_signal(3))
}

//go:noinline
func parse(line string) int {
	if line[0] != '{' {
		panic(fmt.Sprintf("line %q is no object", line))
	}
	return len(line)
}

func main() {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go readInC(r.Fd())
	go pauseInC()
	time.Sleep(100 * time.Millisecond)
	fmt.Println(parse("[1, 2]"))
	runtime.KeepAlive(w)
}
