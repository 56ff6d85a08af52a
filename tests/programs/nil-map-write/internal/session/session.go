// Package session keeps logged-in users in memory.
package session

import "errors"

// Session is one logged-in user.
type Session struct {
	User  string
	Roles []string
	Hits  int
}

// Cache holds sessions by token.
type Cache struct {
	limit  int
	byUser map[string]int
	byKey  map[string]Session
}

// NewCache makes a cache, and forgets byKey.
func NewCache(limit int) *Cache {
	return &Cache{limit: limit, byUser: make(map[string]int)}
}

// Put stores a session.
//
//go:noinline
func (c *Cache) Put(token string, s Session) error {
	if len(c.byKey) >= c.limit {
		return errors.New("session: cache is full")
	}
	c.byUser[s.User]++
	c.store(token, s)
	return nil
}

//go:noinline
func (c *Cache) store(token string, s Session) {
	c.byKey[token] = s
}
