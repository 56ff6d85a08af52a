package example

import (
	"maps"
	"sync"
)

// One lock for every read, write and iteration; a copy goes out.
type Cache struct {
	mu      sync.RWMutex
	entries map[string]int
}

func (c *Cache) Get(key string) int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.entries[key]
}

func (c *Cache) Put(key string, value int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[key] = value
}

func (c *Cache) All() map[string]int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return maps.Clone(c.entries)
}
