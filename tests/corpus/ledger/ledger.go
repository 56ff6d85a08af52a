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
