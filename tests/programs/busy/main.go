// Goroutines that never wait: tight loops without calls (preempted only by signal), loops with
// calls, raw system calls, locked threads. Ended from outside, in the midst of it.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"time"
)

var sink uint64

//go:noinline
func spin(seed uint64, weights []float64) uint64 {
	x := seed
	acc := 0.0
	for i := 0; ; i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		acc += weights[i%len(weights)]
		if x == 0 && acc > 1e300 {
			break
		}
	}
	return x
}

//go:noinline
func hash(block []byte) {
	for {
		s := sha256.Sum256(block)
		copy(block, s[:])
	}
}

//go:noinline
func allocate(words []string) {
	for i := 0; ; i++ {
		parts := append([]string(nil), words...)
		sort.Strings(parts)
		sink += uint64(len(strings.Join(parts, ",")))
	}
}

//go:noinline
func readZeros(f *os.File, n int) {
	buf := make([]byte, n)
	for {
		if _, err := syscall.Read(int(f.Fd()), buf); err != nil {
			panic(err)
		}
	}
}

//go:noinline
func locked(id int, d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		ts := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&ts, nil)
		sink += uint64(id)
	}
}

//go:noinline
func yields() {
	for {
		runtime.Gosched()
	}
}

func main() {
	runtime.GOMAXPROCS(4)
	zero, err := os.Open("/dev/zero")
	if err != nil {
		panic(err)
	}
	for i := 1; i <= 3; i++ {
		go spin(uint64(i), []float64{1, 2.5, 3})
	}
	go hash(make([]byte, 4096))
	go allocate([]string{"pear", "apple", "fig", "olive"})
	go readZeros(zero, 1<<16)
	go locked(7, time.Millisecond)
	go locked(8, time.Hour)
	go yields()
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready")
	for {
		time.Sleep(5 * time.Millisecond)
	}
}
