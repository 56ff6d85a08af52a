package example

import "sync"

type Account struct {
	mu      sync.Mutex
	id      int
	balance int
}

// Two locks are always taken in the same order: that of the ids.
func transfer(from, to *Account, cents int) {
	if from == to {
		return
	}
	first, second := from, to
	if second.id < first.id {
		first, second = second, first
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	second.mu.Lock()
	defer second.mu.Unlock()
	from.balance -= cents
	to.balance += cents
}
