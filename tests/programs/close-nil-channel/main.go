// A subscriber that was never started is stopped: its channel was never made.
package main

import "fmt"

type subscriber struct {
	topic string
	done  chan struct{}
}

func (s *subscriber) start() {
	s.done = make(chan struct{})
}

//go:noinline
func (s *subscriber) stop() {
	close(s.done)
}

type bus struct{ subscribers []*subscriber }

//go:noinline
func (b *bus) shutdown() {
	for _, s := range b.subscribers {
		s.stop()
	}
}

func main() {
	orders, audit := &subscriber{topic: "orders"}, &subscriber{topic: "audit"}
	orders.start()
	b := &bus{subscribers: []*subscriber{orders, audit}}
	fmt.Println("subscribers:", len(b.subscribers))
	b.shutdown()
}
