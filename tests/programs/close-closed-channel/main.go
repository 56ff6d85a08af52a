// Two shutdown paths close the same channel.
package main

import (
	"sync"
	"time"
)

type pool struct {
	quit chan struct{}
	jobs chan int
	wg   sync.WaitGroup
}

//go:noinline
func (p *pool) work(id int) {
	defer p.wg.Done()
	for {
		select {
		case <-p.jobs:
		case <-time.After(time.Hour):
			return
		}
	}
}

//go:noinline
func (p *pool) shutdown(reason string) {
	if reason == "" {
		return
	}
	close(p.quit)
}

func main() {
	p := &pool{quit: make(chan struct{}), jobs: make(chan int)}
	for i := 0; i < 4; i++ {
		p.wg.Add(1)
		go p.work(i)
	}
	time.Sleep(20 * time.Millisecond)
	p.shutdown("signal")
	p.shutdown("drain")
}
