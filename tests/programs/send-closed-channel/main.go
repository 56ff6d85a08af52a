// A producer outlives the consumer that closed its channel.
package main

import "time"

type event struct {
	id   int
	body string
}

//go:noinline
func produce(out chan<- event, n int) {
	for i := 0; i < n; i++ {
		out <- event{id: i, body: "tick"}
	}
}

func main() {
	events := make(chan event)
	go produce(events, 1000)
	for e := range events {
		if e.id == 10 {
			close(events)
			break
		}
	}
	time.Sleep(time.Hour)
}
