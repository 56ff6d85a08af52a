// Command shopd dies of the bug that it is told to have. Panicle's corpus of labelled crashes is made with
// it: bugs.toml names them.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"

	"example.com/shop/internal/cart"
	"example.com/shop/internal/jobs"
	"example.com/shop/internal/stock"
	"example.net/Books/ledger"
)

type handler func()

var bugs = map[string]handler{
	"cart-add":         func() { new(cart.Cart).Add("tea", 1) },
	"cart-merge":       func() { new(cart.Cart).Merge(map[string]int{"tea": 1}) },
	"cart-owner":       func() { fmt.Println(new(cart.Cart).Owner()) },
	"cart-label":       func() { fmt.Println(new(cart.Cart).Label()) },
	"cart-price":       func() { fmt.Println(new(cart.Cart).Price(os.Getpid())) },
	"cart-page":        func() { fmt.Println(new(cart.Cart).Page(1, os.Getpid())) },
	"cart-newest":      func() { fmt.Println(new(cart.Cart).Newest()) },
	"cart-cheapest":    func() { fmt.Println(new(cart.Cart).Cheapest()) },
	"cart-unpaid":      func() { new(cart.Cart).Checkout(false) },
	"cart-address":     func() { new(cart.Cart).Checkout(true) },
	"cart-sort":        func() { new(cart.Cart).Sort() },
	"cart-share":       func() { fmt.Println(new(cart.Cart).Share()) },
	"stock-find":       func() { fmt.Println(stock.NewHouse().Find(os.Getpid())) },
	"stock-put":        func() { new(stock.Table[string, int]).Put("tea", 1) },
	"stock-must":       func() { stock.Must(time.Now().String(), false) },
	"stock-marshal":    marshal,
	"stock-depth":      func() { fmt.Println(stock.Deep()) },
	"stock-hash":       func() { fmt.Println(stock.Hash([]int{1})) },
	"stock-convert":    func() { fmt.Println(stock.Convert(os.Getpid())) },
	"jobs-close-twice": func() { jobs.New().CloseTwice() },
	"jobs-send-late":   func() { jobs.New().SendLate() },
	"jobs-writers":     func() { jobs.New().Writers() },
	"jobs-readers":     func() { jobs.New().Readers() },
	"jobs-done":        func() { jobs.New().Done() },
	"jobs-unlock":      func() { jobs.New().Unlock() },
	"jobs-deadlock":    func() { fmt.Println(jobs.New().Wait()) },
	"jobs-leak":        func() { dumped(jobs.New().Leak) },
	"jobs-starve":      func() { dumped(jobs.New().Starve) },
	"jobs-exchange":    func() { dumped(jobs.Exchange) },
	"jobs-evening":     func() { dumped(jobs.Evening) },
	"jobs-guarded":     func() { jobs.Guarded(func() { panic(fmt.Sprintf("tenant %q is gone", time.Now().String())) }) },
	"jobs-cleanup":     func() { jobs.Cleanup(os.Args[:1]) },
	"jobs-after":       func() { jobs.After(os.Args) },
	"jobs-once":        func() { jobs.Once(nil) },
	"jobs-book":        func() { fmt.Println(jobs.Book(new(ledger.Account))) },
	"jobs-refund":      func() { fmt.Println(jobs.Refund(new(ledger.Account))) },
	"jobs-balance":     func() { fmt.Println(jobs.Balance(new(ledger.Account))) },
	"jobs-sum":         sum,
	"jobs-journal":     func() { fmt.Println(jobs.Entry(ledger.Journal{Account: new(ledger.Account)})) },
	"jobs-buffer":      func() { fmt.Println(len(jobs.Buffer(-os.Getpid()))) },
	"jobs-receive":     func() { fmt.Println(jobs.Receive(&bufio.ReadWriter{})) },
	"ledger-review":    func() { ledger.Review(time.Millisecond); time.Sleep(time.Minute) },
	"ledger-audit":     func() { ledger.Close(time.Millisecond); time.Sleep(time.Minute) },
}

func main() {
	bug, ok := bugs[os.Args[1]]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such bug:", os.Args[1])
		os.Exit(2)
	}
	bug()
}

// dumped asks for a dump of the process when its goroutines have come to rest.
func dumped(start func()) {
	start()
	time.Sleep(300 * time.Millisecond)
	if err := syscall.Kill(os.Getpid(), syscall.SIGQUIT); err != nil {
		panic(err)
	}
	time.Sleep(time.Minute)
}

// marshal fails below encoding/json, which recovers panics and raises them again.
func marshal() {
	text, err := json.Marshal(stock.Article{})
	fmt.Println(text, err)
}

func sum() {
	account := &ledger.Account{Owner: &ledger.Owner{Name: "shop"}}
	account.Post(3)
	fmt.Println(jobs.Sum(account))
}
