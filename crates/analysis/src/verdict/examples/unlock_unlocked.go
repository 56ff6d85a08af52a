package example

import "sync"

// Unlock is deferred in the line after Lock, and is nowhere else.
type Counter struct {
	mu sync.Mutex
	n  int
}

func (c *Counter) Add(by int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += by
	return c.n
}
