// A watchdog of the program's own with the words of the runtime's.
package main

import "time"

//go:noinline
func watch(beats <-chan struct{}, patience time.Duration) {
	select {
	case <-beats:
	case <-time.After(patience):
		panic("all goroutines are asleep - deadlock!")
	}
}

func main() {
	watch(make(chan struct{}), 20*time.Millisecond)
}
