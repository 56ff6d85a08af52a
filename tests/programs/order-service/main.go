// An order service: dispatcher, labelled workers, a sweeper and a reporter; the first order in a
// foreign currency meets a price table that nobody made. `cargo xtask up` sends this one.
package main

import (
	"context"
	"fmt"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"

	"example.com/panicle/order-service/orders"
)

type service struct {
	book  *orders.Book
	queue chan orders.Order
	mu    sync.Mutex
	done  int
}

func (s *service) worker(ctx context.Context, id int) {
	labels := pprof.Labels("worker", strconv.Itoa(id), "pool", "checkout")
	pprof.SetGoroutineLabels(pprof.WithLabels(ctx, labels))
	for {
		select {
		case o := <-s.queue:
			s.process(o)
		case <-ctx.Done():
			return
		}
	}
}

//go:noinline
func (s *service) process(o orders.Order) {
	total, err := s.book.Price(o)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done += int(total / 1000)
}

func (s *service) sweep(every time.Duration) {
	for range time.Tick(every) {
		s.mu.Lock()
		s.done++
		s.mu.Unlock()
	}
}

func (s *service) report(ctx context.Context, out chan<- string) {
	for {
		s.mu.Lock()
		line := fmt.Sprintf("done %d", s.done)
		s.mu.Unlock()
		select {
		case out <- line:
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &service{book: orders.NewBook("EUR"), queue: make(chan orders.Order)}
	for i := 0; i < 24; i++ {
		go s.worker(ctx, i)
	}
	go s.sweep(5 * time.Millisecond)
	lines := make(chan string)
	for i := 0; i < 3; i++ {
		go s.report(ctx, lines)
	}
	fmt.Println(<-lines)
	for i, currency := range []string{"EUR", "EUR", "EUR", "CHF"} {
		s.queue <- orders.Order{
			ID:       7000 + i,
			Customer: "acme",
			Currency: currency,
			Lines:    []orders.Line{{SKU: "A-17", Cents: 1250, Count: 3}, {SKU: "B-2", Cents: 99, Count: 1}},
		}
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(time.Hour)
}
