// Command crash dies in the way its argument names.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"time"
)

type Cache[K comparable, V any] struct{ m map[K]V }

//go:noinline
func (c *Cache[K, V]) Put(k K, v V) { c.m[k] = v }

type Server struct {
	mu    sync.Mutex
	rw    sync.RWMutex
	cache *Cache[string, int]
}

//go:noinline
func (s *Server) handle(name string, n int) {
	func() { s.cache.Put(name, n) }()
}

type code int

type failure struct{ op string }

func (f failure) Error() string { return f.op + " failed" }

type plain struct{ a, b int }

//go:noinline
func deep(n int) int {
	var pad [64]byte
	pad[n%64] = byte(n)
	return deep(n+1) + int(pad[0])
}

//go:noinline
func parked(n int, c chan int) {
	if n > 0 {
		parked(n-1, c)
		return
	}
	<-c
}

// waits leaves one goroutine in each kind of wait.
func waits() {
	s := &Server{}
	s.mu.Lock()
	s.rw.Lock()
	c := make(chan int)
	var null chan int
	var wg sync.WaitGroup
	wg.Add(1)
	cond := sync.NewCond(new(sync.Mutex))
	r, _, _ := os.Pipe()
	go parked(3, c)
	go func() { c2 := make(chan int); c2 <- 1 }()
	go func() { <-null }()
	go func() { null <- 1 }()
	go func() { select {} }()
	go func() {
		select {
		case <-c:
		case <-null:
		}
	}()
	go s.mu.Lock()
	go s.rw.RLock()
	go wg.Wait()
	go func() { cond.L.Lock(); cond.Wait() }()
	go time.Sleep(time.Hour)
	go func() { runtime.LockOSThread(); <-c }()
	go func() { var b [1]byte; r.Read(b[:]) }()
	go func() {
		var b [1]byte
		var p [2]int
		syscall.Pipe(p[:])
		syscall.Read(p[0], b[:])
	}()
	time.Sleep(20 * time.Millisecond)
}

func spin() {
	for {
	}
}

func main() {
	switch mode := os.Args[1]; mode {
	case "nilmap":
		s := &Server{cache: &Cache[string, int]{}}
		go parked(2, make(chan int))
		time.Sleep(5 * time.Millisecond)
		s.handle("k", 7)
	case "nilptr":
		var s *Server
		s.handle("k", 7)
	case "chain":
		defer func() {
			r := recover()
			panic(fmt.Sprint("again: ", r))
		}()
		defer func() { panic(errors.New("second\nof two lines")) }()
		panic(failure{"first"})
	case "repanic":
		defer func() { panic(recover()) }()
		panic(failure{"open"})
	case "goexitchain":
		done := make(chan int)
		go func() {
			defer func() { panic("last") }()
			defer runtime.Goexit()
			panic("first")
		}()
		<-done
	case "types":
		for _, v := range []any{code(7), plain{1, 2}, &plain{}, "s", 1.5, 2 + 3i, true, uint8(3), struct{}{}, errors.New("e")} {
			v := v
			func() {
				defer func() { recover() }()
				panic(v)
			}()
		}
		panic(plain{1, 2})
	case "code":
		panic(code(7))
	case "forge":
		panic("no such user\n\ngoroutine 77 [running]:\nmain.innocent(0x1)\n\t/src/innocent.go:12 +0x1f\n\ngoroutine 78 [select]:")
	case "long":
		panic("rows that do not fit:\n" + strings.Repeat("a row\n", 2500) + "and no more")
	case "mapwrites":
		m := map[int]int{}
		for i := range [3]int{} {
			go func() {
				for j := 0; ; j++ {
					m[j%100] = i
				}
			}()
		}
		time.Sleep(10 * time.Second)
	case "goexit":
		go func() { select {} }()
		runtime.Goexit()
	case "deadlock":
		var mu sync.Mutex
		mu.Lock()
		go parked(1, make(chan int))
		mu.Lock()
	case "overflow":
		deep(0)
	case "deepstack":
		go parked(150, make(chan int))
		time.Sleep(10 * time.Millisecond)
		panic("enough")
	case "waits":
		waits()
		panic("waits")
	case "signal":
		waits()
		go spin()
		time.Sleep(20 * time.Millisecond)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "ancestors":
		go func() { go func() { panic("grandchild") }(); select {} }()
		select {}
	case "fault":
		fault()
	case "fatalindefer":
		defer func() {
			var mu sync.Mutex
			mu.Unlock()
		}()
		panic("then a fatal error")
	case "debug2":
		waits()
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	}
}
