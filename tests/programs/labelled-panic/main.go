// A labelled worker pool in which one worker fails while the others keep their labels.
package main

import (
	"context"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"
)

type job struct {
	id   int
	data []int
}

//go:noinline
func (j job) run(ready *sync.WaitGroup) int {
	ready.Done()
	ready.Wait()
	if j.id == 2 {
		time.Sleep(20 * time.Millisecond)
		return j.data[j.id]
	}
	time.Sleep(time.Hour)
	return 0
}

func main() {
	var ready sync.WaitGroup
	ready.Add(4)
	for i := 0; i < 4; i++ {
		go func(i int) {
			pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("worker", strconv.Itoa(i))))
			job{id: i, data: []int{1, 2}}.run(&ready)
		}(i)
	}
	time.Sleep(time.Hour)
}
