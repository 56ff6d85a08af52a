// A method that holds the lock calls another one that takes it; sync.Mutex cannot be taken twice. All that
// come later wait too.
package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

type registry struct {
	mu    sync.Mutex
	names map[string]int
}

//go:noinline
func (r *registry) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.names)
}

//go:noinline
func (r *registry) add(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[name]++
	return r.size()
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	r := &registry{names: map[string]int{}}
	go r.add("first")
	time.Sleep(20 * time.Millisecond)
	for i := 0; i < 3; i++ {
		go r.size()
	}
	time.Sleep(50 * time.Millisecond)
	fmt.Println("ready")
	c, err := l.Accept()
	fmt.Println(c, err)
}
