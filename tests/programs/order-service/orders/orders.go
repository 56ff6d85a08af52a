// Package orders prices orders.
package orders

import "fmt"

// Line is an item of an order.
type Line struct {
	SKU   string
	Cents int64
	Count int
}

// Order is what a customer wants.
type Order struct {
	ID       int
	Customer string
	Currency string
	Lines    []Line
}

type rate struct {
	from, to string
	factor   float64
}

// Book knows prices and rates of exchange.
type Book struct {
	home  string
	rates map[string]rate
	hits  map[int]int
}

// NewBook makes a book for a currency. The table of rates is made when it is first needed; that, at
// least, was the plan.
func NewBook(home string) *Book { return &Book{home: home, hits: map[int]int{}} }

// Price returns the total of an order in cents of the home currency.
//
//go:noinline
func (b *Book) Price(o Order) (int64, error) {
	var sum int64
	for _, l := range o.Lines {
		if l.Count < 0 {
			return 0, fmt.Errorf("order %d: %s: negative count", o.ID, l.SKU)
		}
		sum += l.Cents * int64(l.Count)
	}
	if o.Currency == b.home {
		return sum, nil
	}
	return b.convert(sum, o.Currency), nil
}

//go:noinline
func (b *Book) convert(cents int64, currency string) int64 {
	r, known := b.rates[currency]
	if !known {
		r = b.learn(currency, 1.04)
	}
	return int64(float64(cents) * r.factor)
}

//go:noinline
func (b *Book) learn(currency string, factor float64) rate {
	r := rate{from: currency, to: b.home, factor: factor}
	b.rates[currency] = r
	return r
}
