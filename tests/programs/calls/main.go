// Every way to call a function, with arguments of every shape, on several goroutines parked at the
// far end; then a panic under a chain of the same.
package main

import (
	"fmt"
	"time"

	"example.com/panicle/calls/shape"
)

type point struct{ X, Y float64 }

type label struct {
	text string
	at   point
	tags []string
	rank int8
	ok   bool
}

var gate = make(chan struct{})

//go:noinline
func scalars(a int8, b uint16, c int32, d uint64, e float32, f float64, g bool, h byte, i rune) float64 {
	total := float64(a) + float64(b) + float64(c) + float64(d) + float64(e) + f + float64(h) + float64(i)
	if g {
		<-gate
	}
	return total
}

//go:noinline
func composites(s string, xs []int, l label, p *point, any any, err error, m map[string]int, c chan int, f func(int) int, arr [3]int16) int {
	local := len(s) + len(xs) + len(l.tags) + len(m) + cap(c)
	n := local + f(local) + int(arr[1]) + int(p.X)
	<-gate
	if err != nil && any == nil {
		return 0
	}
	return n
}

//go:noinline
func manyArgs(a, b, c, d, e, f, g, h, i, j, k, l, m, n int) int {
	<-gate
	return a + b + c + d + e + f + g + h + i + j + k + l + m + n
}

//go:noinline
func nested(v struct {
	a struct {
		b struct{ c, d int }
		e string
	}
	f [2]struct{ g, h uint8 }
	i complex128
}) string {
	<-gate
	return v.a.e
}

//go:noinline
func variadic(prefix string, rest ...any) int {
	<-gate
	return len(prefix) + len(rest)
}

//go:noinline
func results(a int) (n int, err error) {
	defer func() {
		if n > 0 {
			err = fmt.Errorf("n is %d", n)
		}
		<-gate
	}()
	n = a * 2
	return n, nil
}

func inlinedLeaf(p *point, k float64) float64 {
	return p.X*k + p.Y
}

func inlinedMiddle(ps []*point, k float64) float64 {
	sum := 0.0
	for _, p := range ps {
		sum += inlinedLeaf(p, k)
	}
	return sum
}

//go:noinline
func useInlined(ps []*point, k float64) float64 {
	return inlinedMiddle(ps, k)
}

type op func(label) error

//go:noinline
func chain(l label, ops ...op) (err error) {
	for _, o := range ops {
		defer func(before int8) {
			if err != nil {
				err = fmt.Errorf("rank %d: %w", before, err)
			}
		}(l.rank)
		if err = o(l); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	p := &point{3, 4}
	l := label{text: "north", at: *p, tags: []string{"a", "b"}, rank: -3, ok: true}

	go scalars(-1, 2, -3, 4, 5.5, 6.25, true, 'x', '世')
	go composites("text", []int{1, 2, 3}, l, p, 42, fmt.Errorf("boom"), map[string]int{"one": 1}, make(chan int, 5),
		func(n int) int { return n + l.rankAsInt() }, [3]int16{7, 8, 9})
	go manyArgs(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
	var v struct {
		a struct {
			b struct{ c, d int }
			e string
		}
		f [2]struct{ g, h uint8 }
		i complex128
	}
	v.a.b.c, v.a.e, v.i = 11, "deep", complex(1, -1)
	go nested(v)
	go variadic("prefix", 1, "two", 3.0, nil, p)
	go results(21)

	// Method value, method expression, embedded promotion, interface call, generics.
	box := shape.NewBox("box", 2, 3)
	wait := box.WaitOn
	go wait(gate)
	go (*shape.Base).WaitOn(&box.Base, gate)
	go shape.Park[shape.Shape](gate, box)
	go shape.Park[*point](gate, p)
	go shape.Park(gate, 7)
	go shape.Each([]string{"x", "y"}, func(i int, s string) { <-gate })
	var s shape.Shape = box
	go s.WaitOn(gate)
	stack := shape.Stack[string, label]{}
	go stack.PushWait("key", l, gate)
	defer fmt.Println("deferred in main", p.X)

	// Closures that capture by reference and by value.
	count := 0
	go func() {
		count++
		func() {
			count += int(l.rank)
			<-gate
		}()
	}()

	time.Sleep(50 * time.Millisecond)
	err := chain(l,
		func(l label) error { return nil },
		l.check,
		func(l label) error {
			total := useInlined([]*point{p, {1, 2}, nil}, 2.5)
			return fmt.Errorf("total %v", total)
		})
	fmt.Println(err, count)
}

func (l label) rankAsInt() int { return int(l.rank) }

//go:noinline
func (l label) check(other label) error {
	if l.text != other.text {
		return fmt.Errorf("%s is not %s", l.text, other.text)
	}
	return nil
}
