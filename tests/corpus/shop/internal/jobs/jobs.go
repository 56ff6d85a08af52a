// Package jobs has the bugs of goroutines.
package jobs

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"example.net/Books/ledger"
)

// Pool runs jobs.
type Pool struct {
	queue chan int
	done  chan struct{}
	wait  sync.WaitGroup
	table map[int]int
	mu    sync.Mutex
}

// New makes a pool.
func New() *Pool {
	return &Pool{queue: make(chan int), done: make(chan struct{}), table: map[int]int{}}
}

// CloseTwice closes in a goroutine that a go statement with arguments started.
func (p *Pool) CloseTwice() {
	close(p.done)
	go p.stop(p.done, "twice")
	time.Sleep(time.Minute)
}

func (p *Pool) stop(done chan struct{}, why string) {
	_ = why
	close(done)
}

// SendLate sends to a closed channel.
func (p *Pool) SendLate() {
	close(p.queue)
	p.queue <- 1
}

// Writers write to one map without a lock.
func (p *Pool) Writers() {
	for n := 0; n < 4; n++ {
		go p.write(n)
	}
	select {}
}

func (p *Pool) write(n int) {
	for i := 0; ; i++ {
		p.table[i%64+n] = i
	}
}

// Readers read a map that one goroutine writes to.
func (p *Pool) Readers() {
	go func() {
		for i := 0; ; i++ {
			p.mu.Lock()
			p.table[i%64] = i
			p.mu.Unlock()
		}
	}()
	p.read()
}

func (p *Pool) read() {
	for i := 0; ; i++ {
		_ = p.table[i%64]
	}
}

// Done has no matching Add.
func (p *Pool) Done() { p.wait.Done() }

// Unlock has no matching Lock.
func (p *Pool) Unlock() { p.mu.Unlock() }

// Wait waits for what nobody sends.
func (p *Pool) Wait() int { return <-p.queue }

// Leak leaves goroutines behind that wait for each other's channel.
func (p *Pool) Leak() {
	for n := 0; n < 60; n++ {
		go func(n int) { p.queue <- n }(n)
	}
}

// Starve leaves goroutines behind that wait for a lock.
func (p *Pool) Starve() {
	p.mu.Lock()
	for n := 0; n < 60; n++ {
		go p.account(n)
	}
}

func (p *Pool) account(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table[n]++
}

// Vault holds money under a lock.
type Vault struct {
	mu    sync.Mutex
	cents int
}

// Move takes the locks of both, in the order in which they are given.
func (v *Vault) Move(to *Vault, cents int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	to.mu.Lock()
	defer to.mu.Unlock()
	v.cents -= cents
	to.cents += cents
}

// Exchange moves money both ways at once.
func Exchange() {
	one, other := &Vault{cents: 10}, &Vault{cents: 10}
	go one.Move(other, 3)
	go other.Move(one, 4)
}

// Close takes the lock and asks for the sum under it.
func (v *Vault) Close() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	sum := v.Sum()
	v.cents = 0
	return sum
}

// Sum takes the lock as well.
func (v *Vault) Sum() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cents
}

// Evening closes a vault that others ask, too.
func Evening() {
	vault := &Vault{cents: 10}
	go vault.Close()
	time.Sleep(50 * time.Millisecond)
	for n := 0; n < 3; n++ {
		go vault.Sum()
	}
}

// Guarded recovers a panic and raises it again, as middleware does.
func Guarded(job func()) {
	defer func() {
		if value := recover(); value != nil {
			panic(fmt.Sprintf("job failed: %v", value))
		}
	}()
	job()
}

// Cleanup fails in a deferred function.
func Cleanup(names []string) {
	defer func() { fmt.Println(names[3]) }()
	fmt.Println("cleaning", len(names))
}

// After fails in a goroutine of a timer.
func After(names []string) {
	time.AfterFunc(time.Millisecond, func() { fmt.Println(names[len(names)]) })
	time.Sleep(time.Minute)
}

// Once fails below sync.Once.
func Once(do func(context.Context) error) {
	var once sync.Once
	once.Do(func() { _ = do(context.Background()) })
}

// Book posts to an account of nobody.
func Book(account *ledger.Account) string { return account.Post(3) }

// Refund posts to it, too.
func Refund(account *ledger.Account) string { return account.Post(-3) }

// Balance reads an entry that is not there: a bug in how the module is used.
func Balance(account *ledger.Account) int { return account.At(7) }

// Entry reads an entry that is not there, through a wrapper that the module has.
//
//go:noinline
func Entry(of interface{ At(int) int }) int { return of.At(7) }

// Receive reads from nothing, through a wrapper of the standard library.
//
//go:noinline
func Receive(from io.Reader) int {
	n, _ := from.Read(make([]byte, 8))
	return n
}

// Sum is called back by the module.
func Sum(account *ledger.Account) (sum int) {
	var weights []int
	account.Each(func(amount int) { sum += weights[amount] })
	return sum
}

// Buffer asks for too much.
func Buffer(n int) []int { return make([]int, n) }
