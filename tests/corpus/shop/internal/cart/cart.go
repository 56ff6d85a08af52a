// Package cart has the bugs of one data structure.
package cart

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"time"
)

// Cart is made by New, or wrongly by hand.
type Cart struct {
	lines  map[string]int
	owner  *owner
	prices []int
	opened time.Time
}

type owner struct {
	_    [16]byte
	name string
}

// Add writes to the map: nil in a cart that was made by hand.
func (c *Cart) Add(article string, n int) { c.lines[article] += n }

// Merge writes to the same nil map from another function.
func (c *Cart) Merge(other map[string]int) {
	for article, n := range other {
		c.lines[article] = n
	}
}

// Owner fails for a cart of nobody.
func (c *Cart) Owner() string { return c.owner.name }

// Label fails for a cart of nobody, too, and is another bug.
func (c *Cart) Label() string {
	return fmt.Sprintf("cart of %s", c.owner.name)
}

// Price is out of range for most articles.
func (c *Cart) Price(article int) int { return c.prices[article] }

// Page slices out of bounds.
func (c *Cart) Page(from, to int) []int { return c.prices[from:to] }

// Last is generic, and has two callers that get it wrong.
func Last[T any](all []T) T { return all[len(all)-1] }

// Newest is one of them.
func (c *Cart) Newest() int { return Last(c.prices) }

// Cheapest is the other.
func (c *Cart) Cheapest() int {
	sort.Ints(c.prices)
	return Last(c.prices)
}

// Checkout gives up in one of two ways, each a bug of its own.
func (c *Cart) Checkout(paid bool) {
	if !paid {
		panic(fmt.Sprintf("order %d of %s is not paid", os.Getpid(), time.Now().Format(time.RFC3339)))
	}
	panic(fmt.Errorf("cart: checkout: %w", errors.New("no address")))
}

// Sort has a comparison that fails, called by the standard library.
func (c *Cart) Sort() {
	order := []int{3, 1, 2, 9, 5}
	sort.Slice(order, func(i, j int) bool { return c.prices[order[i]] < c.prices[order[j]] })
}

// Share is what a cart and its copy share.
func (c *Cart) Share() int {
	share := 100
	return share / len(c.prices)
}
