// A lookup that returns nil for an unknown customer, and a caller who does not ask.
package main

import (
	"fmt"

	"example.com/panicle/nil-dereference/store"
)

type invoice struct {
	number   int
	customer string
	lines    []float64
}

//go:noinline
func total(db *store.DB, inv invoice) float64 {
	sum := 0.0
	for _, l := range inv.lines {
		sum += l
	}
	c := db.Customer(inv.customer)
	return sum * (1 - discount(c))
}

//go:noinline
func discount(c *store.Customer) float64 {
	return c.Contract.Discount
}

func main() {
	db := store.Open()
	results := make(chan float64, 2)
	for i, name := range []string{"acme", "globex"} {
		go func(i int, name string) {
			results <- total(db, invoice{number: i, customer: name, lines: []float64{10, 20.5}})
		}(i, name)
	}
	fmt.Println(<-results, <-results)
}
