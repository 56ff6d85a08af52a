// Values of every kind of type, as package variables and as variables of parked goroutines: escaped to the
// heap, captured, inlined, shadowed, generic, typed nil, cyclic, large.
package main

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"example.com/panicle/values/store"
)

type color int

const (
	red color = iota + 1
	green
)

type base struct {
	ID   int64
	Tags []string
}

type user struct {
	base
	Name   string
	Age    uint8
	Next   *user
	Active bool
	col    color
}

type codeError struct{ Code int }

func (e *codeError) Error() string { return fmt.Sprint("code ", e.Code) }

type boxed struct{ p *int }

type scalars struct {
	B    bool
	I8   int8
	I16  int16
	I32  int32
	I64  int64
	U8   uint8
	U16  uint16
	U32  uint32
	U64  uint64
	UP   uintptr
	F32  float32
	F64  float64
	C64  complex64
	C128 complex128
	NaN  float64
	Inf  float64
}

var (
	seven     = 7
	Scalars   = scalars{true, -8, -16, -32, math.MinInt64, 8, 16, 32, math.MaxUint64, 0xbeef, 0.1, 2.5e-7, 1 - 2i, 3 + 4i, math.NaN(), math.Inf(-1)}
	Text      = "plain"
	Quoted    = "a\"b\n\x00\xff世"
	EmptyText = ""
	LongText  = string(make([]byte, 0, 1))
	Ints      = []int{1, 2, 3}
	Roomy     = append(make([]int16, 0, 8), -1, -2)
	NilInts   []int
	NoInts    = []int{}
	Bytes     = []byte("text in bytes")
	RawBytes  = []byte{0, 1, 0xff}
	Many      = make([]uint32, 1000)
	Array     = [3]int16{1, -2, 3}
	Nested    = [2][2]string{{"a", "b"}, {"c", "d"}}
	Empty     struct{}
	Anonymous = struct{ A, b int }{1, 2}
	Map       = map[string]int{"a": 1, "b": 2, "c": 3}
	NilMap    map[string]*user
	BigMap    = map[int]store.Item{}
	Chan      = make(chan int, 4)
	Closed    = make(chan struct{})
	NilChan   chan<- string
	Func      = outer
	NilFunc   func(int) string
	Ptr       = &seven
	PtrPtr    = &Ptr
	NilPtr    *user
	Unsafe        = unsafe.Pointer(&seven)
	Wild          = (*user)(nil)
	Bob           = &user{base: base{ID: 42, Tags: []string{"x", "y"}}, Name: "bob", Age: 3, Active: true, col: green}
	Cycle         = &user{Name: "cycle"}
	Any       any = 42
	AnyString any = "boxed"
	AnyStruct any = store.Item{Key: "k", Val: []byte("v")}
	AnyPtr    any = &store.Item{Key: "p"}
	AnyColor  any = red
	AnyBoxed  any = boxed{&seven}
	AnyMap    any = map[string]int{"one": 1}
	AnyFunc   any = dynamic
	AnySlice  any = []int{4, 5}
	AnyPair   any = store.Pair[string, store.Item]{Key: "kk", Val: store.Item{Key: "in"}}
	NilAny    any
	Err       error = &codeError{3}
	PlainErr  error = errors.New("plain error")
	TypedNil  error = (*codeError)(nil)
	NilErr    error
	Pair      = store.Pair[color, []string]{Key: green, Val: []string{"one"}}
	sink      any
)

func dynamic(x int) int { return x }

var gate = make(chan struct{})

//go:noinline
func use(v any) { sink = v }

//go:noinline
func park() { <-gate }

// Every variable below is used after the park, so that it stays on the stack.
//
//go:noinline
func work(u *user, name string, nums []int, e error, v any, ratio float64) (res int, err error) {
	local := user{Name: name, Age: 7, base: base{ID: 43, Tags: []string{"t"}}}
	count := len(nums)
	for i, n := range nums {
		if i == 1 {
			escaped := n * 100
			use(&escaped)
			name := "inner"
			park()
			use(&local)
			use(name)
			fmt.Println(escaped, i, n, u, e, v, ratio, name, nums)
		}
	}
	fmt.Println(name)
	return count, nil
}

func inlined(a int, s string) int {
	b := a * 2
	park()
	return b + len(s)
}

//go:noinline
func outer(x int, s string) int {
	y := x + 1
	z := inlined(y, s)
	fmt.Println(s, x)
	return z + y
}

//go:noinline
func capture(text string) {
	val := 5
	u := &user{Name: "captured"}
	go func() {
		park()
		val++
		fmt.Println(val, text, u)
	}()
	use(&val)
}

//go:noinline
func generic[T any](v T, many []T) int {
	park()
	fmt.Println(v, many)
	return len(many)
}

//go:noinline
func structArg(it store.Item, arr [2]int32, p store.Pair[string, int]) {
	park()
	fmt.Println(it, arr, p)
}

//go:noinline
func crash(u *user, index int, label string) int {
	total := index * 2
	for i := 0; i < index; i++ {
		total += i
	}
	u.Age = uint8(total)
	fmt.Println(label, total)
	return total
}

func main() {
	for i := range Many {
		Many[i] = uint32(i)
	}
	long := make([]byte, 1000)
	for i := range long {
		long[i] = 'a' + byte(i%26)
	}
	LongText = string(long)
	for i := 0; i < 100; i++ {
		BigMap[i] = store.Item{}
	}
	Cycle.Next = Cycle
	Chan <- 1
	close(Closed)
	Wild = (*user)(unsafe.Pointer(uintptr(0xdead0000)))

	go work(Bob, "alice", []int{1, 2, 3}, TypedNil, 1.5, 0.25)
	go outer(10, "inl")
	capture("captured text")
	go generic("one", []string{"a", "b"})
	go generic(store.Item{Key: "g"}, nil)
	go structArg(store.Item{Key: "arg", Val: []byte("bytes")}, [2]int32{-1, 2}, store.Pair[string, int]{"pk", 9})
	time.Sleep(50 * time.Millisecond)
	fmt.Println(Empty, Ints, NilInts, NoInts, NilMap, NilFunc == nil, NilPtr, NilAny, NilErr, NilChan, EmptyText, Nested,
		Anonymous, Roomy, Bytes, RawBytes, Array, Map, Scalars, Text, Quoted, Func == nil, PtrPtr, Unsafe, Any,
		AnyString, AnyStruct, AnyPtr, AnyColor, AnyBoxed, AnyMap, AnyFunc == nil, AnySlice, AnyPair, Err, PlainErr, Pair)
	crash(NilPtr, 4, "label")
}
