// A map of a million strings to numbers, for reading all of it and for finding one. It prints a line as the
// program `maps` does:
//
//	map NAME TYPE ADDRESS LEN CHECKSUM
package main

import (
	"fmt"
	"unsafe"
)

const entries = 1_000_000

var counters = map[string]int64{}

type digest uint64

func (d *digest) word(value uint64) {
	for i := 0; i < 8; i++ {
		*d = (*d ^ digest(byte(value>>(8*i)))) * 0x100000001b3
	}
}

func (d *digest) text(value string) {
	d.word(uint64(len(value)))
	for i := 0; i < len(value); i++ {
		*d = (*d ^ digest(value[i])) * 0x100000001b3
	}
}

func main() {
	for i := 0; i < entries; i++ {
		counters[fmt.Sprintf("user:%07d", i)] = int64(i) * int64(i)
	}
	sum := uint64(0)
	for key, elem := range counters {
		d := digest(0xcbf29ce484222325)
		d.text(key)
		d.word(uint64(elem))
		sum += uint64(d)
	}
	boxed := any(counters)
	words := *(*[2]uintptr)(unsafe.Pointer(&boxed))
	fmt.Printf("map counters %#x %#x %d %#x\n", words[0], words[1], len(counters), sum)
	panic(fmt.Sprint("the map is big: ", len(counters)))
}
