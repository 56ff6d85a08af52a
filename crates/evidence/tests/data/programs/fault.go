package main

import "unsafe"

//go:noinline
func fault() {
	p := uintptr(0xdeadbeef000)
	*(*int)(*(*unsafe.Pointer)(unsafe.Pointer(&p))) = 1
}
