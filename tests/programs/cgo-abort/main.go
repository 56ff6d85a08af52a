// C code that is called from Go finds its own state broken and calls abort.
package main

/*
#cgo CFLAGS: -g -O1
#include <stdio.h>
#include <stdlib.h>

struct account { long balance; long limit; };

static __attribute__((noinline)) void check(const struct account *account) {
	if (account->balance < -account->limit) {
		fprintf(stderr, "ledger: balance %ld is below the limit\n", account->balance);
		abort();
	}
}

static __attribute__((noinline)) long withdraw(struct account *account, long amount) {
	account->balance -= amount;
	check(account);
	return account->balance;
}

static long pay(long *amounts, int count) {
	struct account account = { 100, 50 };
	long left = 0;
	for (int i = 0; i < count; i++)
		left += withdraw(&account, amounts[i]);
	return left;
}
*/
import "C"

import (
	"fmt"
	"time"
)

//go:noinline
func settle(amounts []int) int {
	list := make([]C.long, len(amounts))
	for i, amount := range amounts {
		list[i] = C.long(amount)
	}
	return int(C.pay(&list[0], C.int(len(list))))
}

func main() {
	idle := make(chan int)
	for i := 0; i < 3; i++ {
		go func() { <-idle }()
	}
	time.Sleep(20 * time.Millisecond)
	fmt.Println(settle([]int{30, 40, 50, 60}))
}
