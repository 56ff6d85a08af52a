// One goroutine for each way to wait that ordinary code meets, after the collector has run so that
// the waits have a time. Ended from outside.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

type queue struct {
	mu    sync.Mutex
	cond  *sync.Cond
	items []int
}

//go:noinline
func (q *queue) pop() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 {
		q.cond.Wait()
	}
	return q.items[0]
}

//go:noinline
func readPipe(r *os.File) (int, error) {
	var b [16]byte
	return r.Read(b[:])
}

//go:noinline
func rawRead(fd int) (int, error) {
	var b [16]byte
	return syscall.Read(fd, b[:])
}

//go:noinline
func nilReceive(c chan int) int { return <-c }

//go:noinline
func nilSend(c chan int) { c <- 1 }

//go:noinline
func blockForever() { select {} }

//go:noinline
func onTimer(t *time.Timer) time.Time { return <-t.C }

//go:noinline
func onTicker(t *time.Ticker) {
	for range t.C {
	}
}

//go:noinline
func onContext(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

//go:noinline
func once(o *sync.Once, wait <-chan struct{}) { o.Do(func() { <-wait }) }

//go:noinline
func ioPipe(r io.Reader) error {
	_, err := io.ReadAll(r)
	return err
}

func main() {
	q := &queue{}
	q.cond = sync.NewCond(&q.mu)
	go q.pop()

	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go readPipe(r)

	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		panic(err)
	}
	go rawRead(fds[0])

	go nilReceive(nil)
	go nilSend(nil)
	go blockForever()
	go onTimer(time.NewTimer(time.Hour))
	go onTicker(time.NewTicker(time.Hour))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go onContext(ctx)

	never := make(chan struct{})
	var o sync.Once
	go once(&o, never)
	time.Sleep(10 * time.Millisecond)
	go once(&o, never)

	pr, pw := io.Pipe()
	go ioPipe(pr)

	sigs := make(chan os.Signal, 1)
	signal.Notify(sigs, syscall.SIGUSR1)
	go func() { <-sigs }()

	go func() {
		runtime.LockOSThread()
		select {}
	}()
	runtime.SetFinalizer(&queue{}, func(*queue) {})
	time.AfterFunc(time.Hour, func() { fmt.Println("late") })

	time.Sleep(50 * time.Millisecond)
	for i := 0; i < 3; i++ {
		runtime.GC()
	}
	time.Sleep(50 * time.Millisecond)
	fmt.Println("ready")
	runtime.KeepAlive(w)
	runtime.KeepAlive(pw)
	time.Sleep(time.Hour)
}
