// Package ledger is the next version of the module: the same functions for its users, others inside.
package ledger

import (
	"errors"
	"time"
)

// Owner of an account.
type Owner struct {
	_    [64]byte
	Name string
}

// Account holds entries.
type Account struct {
	entries []int
	Owner   *Owner
}

// ErrClosed is returned by nothing: it is what the book panics with.
var ErrClosed = errors.New("ledger: the book is closed")

// Post adds an amount and answers whose account it was.
func (a *Account) Post(amount int) string {
	return a.write(amount)
}

//go:noinline
func (a *Account) write(amount int) string {
	a.entries = append(a.entries, amount)
	return stamp(a)
}

//go:noinline
func stamp(a *Account) string { return "by " + a.Owner.Name }

// At answers an entry.
func (a *Account) At(index int) int { return read(a.entries, index) }

//go:noinline
func read(entries []int, index int) int { return entries[index] }

// Each calls visit with every entry.
func (a *Account) Each(visit func(int)) {
	for index := range a.entries {
		forward(visit, a.entries[index])
	}
}

//go:noinline
func forward(visit func(int), amount int) { visit(amount) }

// Last answers the newest entry.
func (a *Account) Last() int { return a.entries[len(a.entries)-1] }

// Journal is an account with a title: the compiler makes its methods.
type Journal struct {
	*Account
	Title string
}

// Review looks at an empty journal in the background.
func Review(after time.Duration) {
	go func() {
		time.Sleep(after)
		newest(Journal{Account: &Account{}, Title: "empty"})
	}()
}

//go:noinline
func newest(of interface{ Last() int }) int { return of.Last() }

// Close closes a book, and once more in the background.
func Close(after time.Duration) {
	go func() {
		<-time.After(after)
		audit(nil)
	}()
}

func audit(a *Account) {
	if a == nil {
		panic(ErrClosed)
	}
}
