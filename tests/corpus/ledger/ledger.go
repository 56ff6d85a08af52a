// Package ledger is a module that the shop uses.
package ledger

import (
	"errors"
	"time"
)

// Account holds entries.
type Account struct {
	Owner   *Owner
	entries []int
}

// Owner of an account.
type Owner struct {
	_    [32]byte
	Name string
}

// ErrClosed is returned by nothing: it is what the book panics with.
var ErrClosed = errors.New("ledger: the book is closed")

// Post adds an amount and answers whose account it was.
func (a *Account) Post(amount int) string {
	a.entries = append(a.entries, amount)
	return a.sign()
}

//go:noinline
func (a *Account) sign() string { return a.Owner.Name }

// At answers an entry.
func (a *Account) At(index int) int { return a.entries[index] }

// Each calls visit with every entry.
func (a *Account) Each(visit func(int)) {
	for _, amount := range a.entries {
		visit(amount)
	}
}

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
		time.Sleep(after)
		audit(nil)
	}()
}

func audit(a *Account) {
	if a == nil {
		panic(ErrClosed)
	}
}
