// Two transfers take the locks of two accounts in opposite order; the listener keeps the process alive, so
// that the runtime sees no deadlock.
package main

import (
	"fmt"
	"net"
	"sync"
	"time"
)

type account struct {
	mu      sync.Mutex
	name    string
	balance int
}

//go:noinline
func transfer(from, to *account, cents int) {
	from.mu.Lock()
	defer from.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	to.mu.Lock()
	defer to.mu.Unlock()
	from.balance -= cents
	to.balance += cents
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	a, b := &account{name: "a", balance: 100}, &account{name: "b", balance: 100}
	go transfer(a, b, 5)
	go transfer(b, a, 7)
	time.Sleep(100 * time.Millisecond)
	fmt.Println("ready")
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = c.Close()
	}
}
