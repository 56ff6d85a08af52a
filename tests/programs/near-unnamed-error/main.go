// A type that is an error and is not called so.
package main

import "fmt"

type quota struct{ tenant string }

func (q *quota) Error() string { return "quota of tenant " + q.tenant + " is used up" }

//go:noinline
func reserve(tenant string, n int) int {
	if n > 10 {
		panic(&quota{tenant})
	}
	return n
}

func main() {
	fmt.Println(reserve("acme", 3) + reserve("acme", 30))
}
