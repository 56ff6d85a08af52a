// A panic is recovered, the deferred function that recovered it panics with another value; before
// that, a whole panic was recovered for good and must not show up anywhere.
package main

import "fmt"

type cause struct {
	op   string
	code int
}

//go:noinline
func parse(s string) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parse %q: %v", s, r)
		}
	}()
	if s == "" {
		panic("empty input")
	}
	return len(s), nil
}

//go:noinline
func step(values []string) int {
	defer func() {
		r := recover()
		panic(fmt.Sprintf("step failed after %d values: %v", len(values), r))
	}()
	sum := 0
	for _, v := range values {
		n, err := parse(v)
		if err != nil {
			panic(cause{op: "parse", code: 22})
		}
		sum += n
	}
	return sum
}

func main() {
	fmt.Println(parse(""))
	fmt.Println(step([]string{"one", "two", ""}))
}
