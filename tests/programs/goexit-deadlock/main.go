// main ends its own goroutine and leaves one that waits on a nil channel.
package main

import "runtime"

//go:noinline
func waitForever(events chan string) string {
	return <-events
}

func main() {
	var events chan string
	go waitForever(events)
	defer println("main is leaving")
	runtime.Goexit()
}
