// Each request keeps a thread of its own in a system call, and threads have a limit.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

//go:noinline
func convert(fd int, done chan<- int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var b [1]byte
	n, _ := syscall.Read(fd, b[:])
	done <- n
}

//go:noinline
func accept(requests int) int {
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	done := make(chan int)
	for i := 0; i < requests; i++ {
		go convert(pipe[0], done)
		time.Sleep(time.Millisecond)
	}
	return <-done
}

func main() {
	debug.SetMaxThreads(20)
	fmt.Println(accept(200))
}
