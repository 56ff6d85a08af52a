// Many goroutines work on many maps in many ways. Most maps have one user each; one has several, without a lock.
// Addresses are printed first, to be compared with what is found.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"time"
)

type point struct{ x, y int32 }

type registry struct {
	name   string
	points map[point]int64
}

type service struct {
	id    int
	users map[string]int
	inner *registry
}

var global = map[int]string{}

var (
	sink  int
	bytes []byte
)

func key(i int) string {
	return "key-" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26))
}

func say(name string, m any) {
	fmt.Fprintf(os.Stderr, "map %s %p\n", name, m)
}

//go:noinline
func (s *service) put(i int) { s.users[key(i)] = i }

//go:noinline
func (s *service) count(i int) { s.inner.points[point{int32(i % 4096), 1}]++ }

// Grows from nothing over and over: much of the time is spent in growth.
//
//go:noinline
func grow(m map[int64]int64) {
	for round := 0; ; round++ {
		for i := int64(0); i < 1<<14; i++ {
			m[i] = i
		}
		for i := range m {
			delete(m, i)
		}
	}
}

//go:noinline
func clearing(m map[uint32]*point) {
	for i := uint32(0); ; i++ {
		m[i%512] = &point{}
		if i%512 == 511 {
			for k := range m {
				delete(m, k)
			}
		}
	}
}

//go:noinline
func read(m map[string]uint16) {
	for i := 0; ; i++ {
		sink += int(m[key(i%700)])
		if n, ok := m[key(i%700+1)]; ok {
			sink += int(n)
		}
	}
}

//go:noinline
func count(s *service) {
	for i := 0; ; i++ {
		s.count(i)
	}
}

//go:noinline
func number() {
	for i := 0; ; i++ {
		global[i%1000] = "g"
	}
}

//go:noinline
func put(s *service, from int) {
	for i := from; ; i++ {
		s.put(i)
	}
}

//go:noinline
func drop(s *service) {
	for i := 0; ; i++ {
		delete(s.users, key(i))
	}
}

//go:noinline
func capture(captured map[any]int) func() {
	return func() {
		for i := 0; ; i++ {
			captured[i%300] = i
			delete(captured, (i+150)%300)
		}
	}
}

//go:noinline
func reflected(m map[string][2]int) {
	v := reflect.ValueOf(m)
	for i := 0; ; i++ {
		v.SetMapIndex(reflect.ValueOf(key(i)), reflect.ValueOf([2]int{i, i}))
		v.MapIndex(reflect.ValueOf(key(i / 2)))
		if i%64 == 0 {
			for it := v.MapRange(); it.Next(); {
				sink += int(it.Value().Index(0).Int())
			}
		}
	}
}

//go:noinline
func marshal(m map[string]float64) {
	for {
		bytes, _ = json.Marshal(m)
	}
}

func generic[K comparable, V any](m map[K]V, k func(int) K, v V) {
	for i := 0; ; i++ {
		m[k(i)] = v
		if i%1000 == 999 {
			for k := range m {
				delete(m, k)
			}
		}
	}
}

// Waits in the body of a loop over the map.
//
//go:noinline
func parked(m map[string]bool, wait chan int) {
	for k := range m {
		<-wait
		sink += len(k)
	}
}

func main() {
	runtime.GOMAXPROCS(6)
	s := &service{id: 7, users: map[string]int{}, inner: &registry{name: "r", points: map[point]int64{}}}
	growing, cleared, readable := map[int64]int64{}, map[uint32]*point{}, map[string]uint16{}
	reflecting, marshalled := map[string][2]int{}, map[string]float64{}
	shaped, waiting, captured := map[[3]string]point{}, map[string]bool{"a": true, "b": false}, map[any]int{}
	for i := 0; i < 40; i++ {
		marshalled[key(i)] = float64(i)
	}
	for i := 0; i < 400; i++ {
		readable[key(i)] = uint16(i)
	}
	// Under the functions that work on them.
	say("main.(*service).put", s.users)
	say("main.drop", s.users)
	say("main.(*service).count", s.inner.points)
	say("main.number", global)
	say("main.grow", growing)
	say("main.clearing", cleared)
	say("main.read", readable)
	say("main.reflected", reflecting)
	say("main.marshal", marshalled)
	say("main.generic", shaped)
	say("main.parked", waiting)
	say("main.capture.func1", captured)

	go count(s)
	go number()
	go grow(growing)
	go clearing(cleared)
	go read(readable)
	go reflected(reflecting)
	go marshal(marshalled)
	go generic(shaped, func(i int) [3]string { return [3]string{key(i), "", key(i / 3)} }, point{1, 2})
	go parked(waiting, make(chan int))
	go capture(captured)()
	time.Sleep(50 * time.Millisecond)
	go put(s, 0)
	go put(s, 1000)
	go drop(s)
	select {}
}
