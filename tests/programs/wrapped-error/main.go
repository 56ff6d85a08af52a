// A wrapped custom error that main gives up on with panic.
package main

import (
	"context"
	"fmt"
	"time"

	"example.com/panicle/wrapped-error/bank"
)

//go:noinline
func settle(ctx context.Context, from, to string, cents int64) error {
	if err := bank.Transfer(ctx, from, to, cents); err != nil {
		return fmt.Errorf("settle %s: %w", to, err)
	}
	return nil
}

//go:noinline
func must(err error) {
	if err != nil {
		panic(fmt.Errorf("nightly batch: %w", err))
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	must(settle(ctx, "operations", "payroll", 125_000_00))
}
