// A nil dereference is recovered for good; the service dies later, of something else.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
)

type user struct{ name *string }

//go:noinline
func greet(u *user) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(os.Stderr, "recovered: %v\n%s\n", r, debug.Stack())
			err = fmt.Errorf("greet: %v", r)
		}
	}()
	return "hello " + *u.name, nil
}

//go:noinline
func stop(open int) {
	if open > 0 {
		panic("cannot stop cleanly")
	}
}

func main() {
	_, err := greet(&user{})
	fmt.Println(err)
	stop(3)
}
