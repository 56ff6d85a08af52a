// A healthy service: some workers, a ticker, requests that are answered. It prints its goroutines once,
// and a debugger copies it while it runs.
package main

import (
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

type pool struct {
	jobs chan int
	done chan int
	mu   sync.Mutex
	seen map[int]int
}

//go:noinline
func (p *pool) work() {
	for n := range p.jobs {
		p.mu.Lock()
		p.seen[n]++
		p.mu.Unlock()
		p.done <- n
	}
}

func main() {
	p := &pool{jobs: make(chan int), done: make(chan int), seen: map[int]int{}}
	for i := 0; i < 8; i++ {
		go p.work()
	}
	for i := 0; i < 100; i++ {
		p.jobs <- i
		<-p.done
	}
	time.Sleep(20 * time.Millisecond)
	_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	fmt.Println("ready")
	for range time.Tick(time.Second) {
		p.jobs <- 1
		<-p.done
	}
}
