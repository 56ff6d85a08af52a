// Go calls C, C calls an exported Go function, and that one panics.
package main

/*
#cgo CFLAGS: -g -O1
#include "walk.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"time"
)

var errLeaf = errors.New("leaf 3 has no parent")

//go:noinline
func visit(leaf int) int {
	if leaf == 3 {
		panic(errLeaf)
	}
	return leaf * 2
}

//export goVisit
func goVisit(leaf C.int) C.int {
	return C.int(visit(int(leaf)))
}

//go:noinline
func walk(leaves int) int {
	return int(C.walk_tree(C.int(leaves)))
}

func main() {
	idle := make(chan int)
	go func() { <-idle }()
	time.Sleep(20 * time.Millisecond)
	fmt.Println(walk(6))
}
