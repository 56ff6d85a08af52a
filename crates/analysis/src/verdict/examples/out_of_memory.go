package example

import "container/list"

// A cache with an end: the oldest entry makes room.
type Cache struct {
	most    int
	order   *list.List
	entries map[string][]byte
}

func (c *Cache) Put(key string, value []byte) {
	if _, there := c.entries[key]; !there {
		c.order.PushBack(key)
	}
	c.entries[key] = value
	for len(c.entries) > c.most {
		oldest := c.order.Remove(c.order.Front()).(string)
		delete(c.entries, oldest)
	}
}
