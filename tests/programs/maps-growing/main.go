// Maps that stop growing halfway: buckets of which some have moved, to twice as many and to as many as before;
// tables that were split once, twice and not at all. It runs without AES instructions, so with the other hash
// functions. For each map it prints a line as the program `maps` does:
//
//	map NAME TYPE ADDRESS LEN CHECKSUM
package main

import (
	"fmt"
	"unsafe"
)

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

var keep []any

func words(m any) [2]uintptr { return *(*[2]uintptr)(unsafe.Pointer(&m)) }

func show(name string, m any, count int, sum uint64) {
	keep = append(keep, m)
	w := words(m)
	fmt.Printf("map %s %#x %#x %d %#x\n", name, w[0], w[1], count, sum)
}

func showInts(name string, m map[int]int) {
	sum := uint64(0)
	for key, elem := range m {
		d := digest(0xcbf29ce484222325)
		d.word(uint64(key))
		d.word(uint64(elem))
		sum += uint64(d)
	}
	show(name, m, len(m), sum)
}

func showStrings(name string, m map[string]string) {
	sum := uint64(0)
	for key, elem := range m {
		d := digest(0xcbf29ce484222325)
		d.text(key)
		d.text(elem)
		sum += uint64(d)
	}
	show(name, m, len(m), sum)
}

// Growth to twice as many buckets begins with the entry after 13/2 for each bucket, and each write from there on
// moves two old buckets at most.
func doubling(buckets, after int) {
	start := buckets*13/2 + 1
	ints, strings := map[int]int{}, map[string]string{}
	for i := 0; i < start+after; i++ {
		ints[i*3] = i
		strings[fmt.Sprint("key ", i)] = fmt.Sprint("elem ", i)
	}
	// A write to what is there moves buckets, too.
	for i := 0; i < after; i++ {
		ints[i*3] = -i
	}
	showInts(fmt.Sprintf("ints/%d/%d", buckets, after), ints)
	showStrings(fmt.Sprintf("strings/%d/%d", buckets, after), strings)
}

// Growth to as many buckets begins when there are as many overflow buckets: keys come and go.
func sameSize(keys, rounds, after int) {
	m := map[int]int{}
	next := 0
	for round := 0; round < rounds; round++ {
		for i := 0; i < keys; i++ {
			m[next] = next
			next++
		}
		for i := next - keys; i < next-keys/8; i++ {
			delete(m, i)
		}
	}
	for i := 0; i < after; i++ {
		m[next] = i
		next++
	}
	showInts(fmt.Sprintf("churned/%d/%d/%d", keys, rounds, after), m)
}

// Goes on until the header says that the map grows in place, which takes luck.
func inPlace(name string, limit int) {
	m := map[int]int{}
	header := (*struct {
		count      int
		flags, b   uint8
		noverflow  uint16
		hash0      uint32
		buckets    unsafe.Pointer
		oldbuckets unsafe.Pointer
	})(unsafe.Pointer(words(m)[1]))
	for i := 0; i < limit && (header.oldbuckets == nil || header.flags&8 == 0); i++ {
		m[i] = i
		if i >= 400 {
			delete(m, i-400)
		}
	}
	// Some of it moves.
	for key := range m {
		m[key] = key + 1
		if key%16 == 0 {
			break
		}
	}
	showInts(name, m)
}

func main() {
	for _, buckets := range []int{2, 16, 128, 1024} {
		for _, after := range []int{0, 1, buckets / 8, buckets / 3} {
			doubling(buckets, after)
		}
	}
	for _, after := range []int{0, 1, 20, 200} {
		sameSize(300, 40, after)
	}
	inPlace("in-place/short", 200_000)
	inPlace("in-place/long", 300_000)
	// Around the sizes at which a table is split, and the directory with it.
	for _, count := range []int{895, 896, 897, 1791, 1792, 1900, 3000, 3584, 7100, 20_000} {
		m := map[int]int{}
		for i := 0; i < count; i++ {
			m[i] = i
		}
		showInts(fmt.Sprint("split/", count), m)
	}
	panic(fmt.Sprint("maps are growing: ", len(keep)))
}
