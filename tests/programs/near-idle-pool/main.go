// Sixty-four workers that wait for work, as workers do.
package main

import (
	"fmt"
	"time"
)

type pool struct{ jobs chan func() }

//go:noinline
func (p *pool) worker() {
	for job := range p.jobs {
		job()
	}
}

func main() {
	p := &pool{jobs: make(chan func())}
	for i := 0; i < 64; i++ {
		go p.worker()
	}
	time.Sleep(50 * time.Millisecond)
	fmt.Println("ready")
	for range time.Tick(time.Second) {
		p.jobs <- func() {}
	}
}
