package example

import "sync"

// Close may be called twice and from anywhere.
type Pool struct {
	once sync.Once
	quit chan struct{}
}

func (p *Pool) Close() { p.once.Do(func() { close(p.quit) }) }
