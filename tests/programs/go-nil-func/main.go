// An optional callback that was never set is started as a goroutine.
package main

import (
	"fmt"
	"time"
)

type scheduler struct {
	name string
	tick func()
}

//go:noinline
func (s *scheduler) run() {
	go s.tick()
}

func main() {
	s := &scheduler{name: "hourly"}
	fmt.Println(s.name)
	s.run()
	time.Sleep(time.Second)
}
