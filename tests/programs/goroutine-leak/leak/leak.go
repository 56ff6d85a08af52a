// Package leak starts goroutines that never end.
package leak

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// Leaks holds what the goroutines wait on, so that the collector keeps it.
type Leaks struct {
	results  chan int
	orders   chan string
	stop     chan struct{}
	mu       sync.Mutex
	rw       sync.RWMutex
	wg       sync.WaitGroup
	listener net.Listener
	conns    []net.Conn
}

// Start leaks n goroutines per kind of wait.
func Start(n int) (*Leaks, error) {
	l := &Leaks{results: make(chan int), orders: make(chan string), stop: make(chan struct{})}
	var err error
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	go l.accept()
	l.mu.Lock()
	l.rw.Lock()
	l.wg.Add(1)
	for i := 0; i < n; i++ {
		go l.sender(i)
		go l.locker(i)
		go l.selector(i, 1.5)
		go l.waiter()
		go sleeper(time.Duration(i+1) * time.Hour)
		if i%4 == 0 {
			go l.receiver()
			go l.reader(i)
			go l.readLocker()
		}
		if i%8 == 0 {
			c, err := net.Dial("tcp", l.listener.Addr().String())
			if err != nil {
				return nil, err
			}
			l.conns = append(l.conns, c)
			go l.client(c, i)
		}
	}
	return l, nil
}

// Serve waits on a channel that nobody closes.
func (l *Leaks) Serve() { <-l.stop }

func (l *Leaks) accept() {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		go func() {
			line, _ := bufio.NewReader(c).ReadString('\n')
			_ = line
		}()
	}
}

//go:noinline
func (l *Leaks) sender(i int) { l.results <- i * i }

//go:noinline
func (l *Leaks) receiver() string { return <-l.orders }

func (l *Leaks) locker(i int) {
	l.mu.Lock()
	defer l.mu.Unlock()
}

func (l *Leaks) reader(i int) {
	l.rw.RLock()
	defer l.rw.RUnlock()
}

func (l *Leaks) readLocker() {
	l.rw.Lock()
	defer l.rw.Unlock()
}

//go:noinline
func (l *Leaks) selector(i int, weight float64) float64 {
	select {
	case <-l.stop:
		return weight
	case s := <-l.orders:
		return float64(len(s))
	case l.results <- -i:
		return 0
	}
}

func (l *Leaks) waiter() { l.wg.Wait() }

func sleeper(d time.Duration) { time.Sleep(d) }

func (l *Leaks) client(c net.Conn, i int) {
	buf := make([]byte, 512)
	n, err := c.Read(buf)
	_, _ = n, err
}
