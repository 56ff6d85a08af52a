// Middleware that recovers, logs, and panics again with the same value.
package main

import (
	"errors"
	"fmt"
)

var errUpstream = errors.New("upstream: connection refused")

type handler func(path string) int

//go:noinline
func logging(next handler) handler {
	return func(path string) int {
		defer func() {
			if r := recover(); r != nil {
				fmt.Println("handler failed:", path, r)
				panic(r)
			}
		}()
		return next(path)
	}
}

//go:noinline
func proxy(path string) int {
	if path != "/healthz" {
		panic(errUpstream)
	}
	return 200
}

func main() {
	h := logging(proxy)
	done := make(chan int)
	go func() {
		done <- h("/healthz") + h("/orders/17")
	}()
	fmt.Println(<-done)
}
