// A hook table with a hook that nobody set.
package main

import "fmt"

type hooks struct {
	onStart func(name string) error
	onStop  func(name string, code int) error
}

type process struct {
	name  string
	code  int
	hooks hooks
}

//go:noinline
func (p *process) start() error {
	return p.hooks.onStart(p.name)
}

//go:noinline
func (p *process) stop() error {
	err := p.hooks.onStop(p.name, p.code)
	if err != nil {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	return nil
}

func main() {
	p := &process{name: "indexer", code: 3}
	p.hooks.onStart = func(name string) error {
		fmt.Println("starting", name)
		return nil
	}
	if err := p.start(); err != nil {
		panic(err)
	}
	if err := p.stop(); err != nil {
		panic(err)
	}
}
