// C code that is called from Go reads through a null pointer, three C functions deep.
package main

/*
#cgo CFLAGS: -g -O1
#include "table.h"
*/
import "C"

import (
	"fmt"
	"time"
)

//go:noinline
func lookup(key int) int {
	table := C.table_open(4)
	defer C.table_close(table)
	return int(C.table_sum(table, C.int(key)))
}

//go:noinline
func handle(requests <-chan int, done chan<- int) {
	total := 0
	for key := range requests {
		total += lookup(key)
	}
	done <- total
}

func main() {
	requests := make(chan int)
	done := make(chan int)
	go handle(requests, done)
	idle := make(chan struct{})
	go func() { <-idle }()
	time.Sleep(20 * time.Millisecond)
	requests <- 2
	requests <- 9
	close(requests)
	fmt.Println(<-done)
}
