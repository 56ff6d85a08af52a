// A type that is called an error and is none.
package main

import "fmt"

type lookupErr int

//go:noinline
func lookup(key string) string {
	if key == "" {
		panic(lookupErr(404))
	}
	return key
}

func main() {
	fmt.Println(lookup("a"), lookup(""))
}
