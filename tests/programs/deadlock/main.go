// Two accounts locked in opposite order, and everybody else waits for the result.
package main

import (
	"fmt"
	"sync"
)

type account struct {
	mu      sync.Mutex
	name    string
	balance int
}

//go:noinline
func transfer(from, to *account, amount int, first *sync.WaitGroup, results chan<- string) {
	from.mu.Lock()
	defer from.mu.Unlock()
	first.Done()
	first.Wait()
	to.mu.Lock()
	defer to.mu.Unlock()
	from.balance -= amount
	to.balance += amount
	results <- from.name + " -> " + to.name
}

func main() {
	a, b := &account{name: "a", balance: 10}, &account{name: "b", balance: 20}
	var first sync.WaitGroup
	first.Add(2)
	results := make(chan string)
	go transfer(a, b, 5, &first, results)
	go transfer(b, a, 7, &first, results)
	for i := 0; i < 2; i++ {
		fmt.Println(<-results)
	}
}
