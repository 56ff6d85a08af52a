package example

// The map is made where its owner is made.
type Cache struct{ entries map[string]int }

func NewCache() *Cache { return &Cache{entries: make(map[string]int)} }

func (c *Cache) Put(key string, value int) { c.entries[key] = value }
