// Methods of two types take each other's locks, one of them for reading and writing. The compiler forgets a
// receiver once its lock was taken, so that the traceback does not show who holds what.
package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

type queue struct {
	mu    sync.Mutex
	tasks int
}

type clock struct {
	mu    sync.RWMutex
	ticks int
}

//go:noinline
func (q *queue) drain(c *clock) {
	q.mu.Lock()
	defer q.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ticks++
}

//go:noinline
func (c *clock) tick(q *queue) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	time.Sleep(20 * time.Millisecond)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tasks++
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	q, c := &queue{}, &clock{}
	go q.drain(c)
	go c.tick(q)
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready")
	conn, err := l.Accept()
	fmt.Println(conn, err)
}
