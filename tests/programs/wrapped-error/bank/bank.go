// Package bank moves money that is not there.
package bank

import (
	"context"
	"fmt"
)

// FundsError says how much was missing.
type FundsError struct {
	Account string
	Balance int64
	Needed  int64
	Codes   []int
}

func (e *FundsError) Error() string {
	return fmt.Sprintf("account %q holds %d, needs %d", e.Account, e.Balance, e.Needed)
}

// Transfer fails.
//
//go:noinline
func Transfer(ctx context.Context, from, to string, cents int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("transfer to %s: %w", to, &FundsError{Account: from, Balance: 17, Needed: cents, Codes: []int{4, 2}})
}
