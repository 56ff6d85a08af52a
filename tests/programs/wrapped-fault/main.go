// Middleware recovers a nil dereference and panics with an error that wraps it.
package main

import (
	"errors"
	"fmt"
)

type basket struct{ items []string }

type session struct{ basket *basket }

//go:noinline
func total(s *session) int { return len(s.basket.items) }

//go:noinline
func checkout(s *session) (n int) {
	defer func() {
		if r := recover(); r != nil {
			err, ok := r.(error)
			if !ok {
				err = errors.New(fmt.Sprint(r))
			}
			panic(fmt.Errorf("checkout: %w", err))
		}
	}()
	return total(s)
}

func main() {
	fmt.Println(checkout(&session{}))
}
