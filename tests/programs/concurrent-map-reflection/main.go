// Settings that templates look up by reflection while a watcher writes to them.
package main

import (
	"fmt"
	"reflect"
)

type settings struct {
	file   string
	values map[string]int
}

//go:noinline
func (s *settings) set(name string, value int) {
	s.values[name] = value
}

//go:noinline
func (s *settings) lookup(name string) int64 {
	found := reflect.ValueOf(s.values).MapIndex(reflect.ValueOf(name))
	if !found.IsValid() {
		return 0
	}
	return found.Int()
}

//go:noinline
func watch(s *settings, names []string, rounds int) {
	for i := 0; i < rounds; i++ {
		s.set(names[i%len(names)], i)
	}
}

func main() {
	s := &settings{file: "/etc/app.conf", values: map[string]int{}}
	names := make([]string, 64)
	for i := range names {
		names[i] = fmt.Sprintf("limit-%d", i)
		s.set(names[i], i)
	}
	go watch(s, names, 200_000_000)
	sum := int64(0)
	for i := 0; i < 100_000_000; i++ {
		sum += s.lookup(names[i%len(names)])
	}
	fmt.Println("not detected", sum)
}
