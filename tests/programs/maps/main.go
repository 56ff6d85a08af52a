// Maps of every kind of key and element, empty, full, emptied and shared. For each the program prints
//
//	map NAME TYPE ADDRESS LEN CHECKSUM
//
// TYPE and ADDRESS are those of the runtime's type and of the header. The checksum is the sum over all entries of
// the FNV-1a hash of the key's and the element's bytes, where a string is its length and text, an interface the
// name of its type and its value, and a pointer an address.
package main

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"unsafe"
)

type point struct {
	X int32
	Y string
}

type padded struct {
	A int8
	B int64
	C int16
}

type blank struct {
	A int32
	_ int32
	B [2]uint16
}

type inner struct {
	Any  any
	Name string
	F    float32
}

type users map[string]*point

type table[K comparable, V any] struct {
	Rows map[K]V
}

func (t *table[K, V]) put(key K, value V) { t.Rows[key] = value }

type large [200]byte

type failure struct{ Code int }

func (f failure) Error() string { return fmt.Sprint("failure ", f.Code) }

var (
	keep []any
	seed uint64 = 1
)

func random() uint64 {
	seed ^= seed << 13
	seed ^= seed >> 7
	seed ^= seed << 17
	return seed
}

type digest uint64

func (d *digest) add(bytes ...byte) {
	for _, b := range bytes {
		*d = (*d ^ digest(b)) * 0x100000001b3
	}
}

func (d *digest) word(value uint64) {
	for i := 0; i < 8; i++ {
		d.add(byte(value >> (8 * i)))
	}
}

func (d *digest) text(value string) {
	d.word(uint64(len(value)))
	d.add([]byte(value)...)
}

func (d *digest) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			d.word(1)
		} else {
			d.word(0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.word(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		d.word(v.Uint())
	case reflect.Float32:
		d.word(uint64(math.Float32bits(float32(v.Float()))))
	case reflect.Float64:
		d.word(math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		d.word(math.Float64bits(real(v.Complex())))
		d.word(math.Float64bits(imag(v.Complex())))
	case reflect.String:
		d.text(v.String())
	case reflect.Pointer, reflect.UnsafePointer, reflect.Chan, reflect.Map, reflect.Func:
		d.word(uint64(v.Pointer()))
	case reflect.Interface:
		if v.IsNil() {
			d.text("nil")
		} else {
			d.text(v.Elem().Type().String())
			d.value(v.Elem())
		}
	case reflect.Struct:
		for i := 0; i < v.NumField(); i++ {
			d.value(v.Field(i))
		}
	case reflect.Array:
		for i := 0; i < v.Len(); i++ {
			d.value(v.Index(i))
		}
	default:
		panic("no such key or element")
	}
}

func entry(key, elem reflect.Value) uint64 {
	d := digest(0xcbf29ce484222325)
	d.value(key)
	d.value(elem)
	return uint64(d)
}

// The words of an interface: the type and, for a map, the header.
func words(m any) [2]uintptr { return *(*[2]uintptr)(unsafe.Pointer(&m)) }

func show(name string, m any) {
	keep = append(keep, m)
	sum, count := uint64(0), 0
	for iter := reflect.ValueOf(m).MapRange(); iter.Next(); count++ {
		sum += entry(iter.Key(), iter.Value())
	}
	w := words(m)
	fmt.Printf("map %s %#x %#x %d %#x\n", name, w[0], w[1], count, sum)
}

type pair struct{ key, value any }

// Nothing ranges over the map: up to Go 1.23 that would make its dirty map the read-only one.
func showShared(name string, m *sync.Map, pairs []pair) {
	keep = append(keep, m)
	sum := uint64(0)
	for i := range pairs {
		sum += entry(reflect.ValueOf(&pairs[i].key).Elem(), reflect.ValueOf(&pairs[i].value).Elem())
	}
	w := words(m)
	fmt.Printf("sync %s %#x %#x %d %#x\n", name, reflect.ValueOf(reflect.TypeOf(*m)).Pointer(), w[1], len(pairs), sum)
}

// Fills with so many keys, deletes one in so many of them.
func fill[K comparable, V any](name string, count, oneIn int, key func(int) K, elem func(int) V) {
	m := map[K]V{}
	for i := 0; i < count; i++ {
		m[key(i)] = elem(i)
	}
	if oneIn > 0 {
		for i := 0; i < count; i += oneIn {
			delete(m, key(i))
		}
	}
	show(fmt.Sprintf("%s/%d/%d", name, count, oneIn), m)
}

// The same in several sizes.
func sizes[K comparable, V any](name string, key func(int) K, elem func(int) V) {
	for _, count := range []int{1, 8, 9, 60} {
		fill(name, count, 0, key, elem)
	}
	fill(name, 60, 3, key, elem)
}

func number(i int) int64 { return int64(i) * 7 }

func keys() {
	text := func(i int) string { return fmt.Sprintf("key-%d-%x", i, random()) }
	sizes("string", func(i int) string { return fmt.Sprint("k", i) }, number)
	sizes("lengths", func(i int) string { return string(make([]byte, i*i)) }, number)
	fill("strings", 4000, 0, func(i int) string { return fmt.Sprint("key ", i) }, text)
	fill("strings", 3000, 2, func(i int) string { return fmt.Sprint("key ", i) }, text)
	fill("bool", 2, 0, func(i int) bool { return i%2 == 0 }, number)
	sizes("int8", func(i int) int8 { return int8(i) }, number)
	sizes("uint8", func(i int) uint8 { return uint8(i) }, func(i int) uint8 { return uint8(i + 1) })
	sizes("int16", func(i int) int16 { return int16(-i) }, func(i int) string { return fmt.Sprint(i) })
	sizes("int32", func(i int) int32 { return int32(i << 20) }, number)
	sizes("int64", func(i int) int64 { return int64(random()) >> (i % 60) }, number)
	sizes("int", func(i int) int { return i }, func(i int) *point { return &point{X: int32(i)} })
	sizes("uint64", func(i int) uint64 { return uint64(i) << 40 }, func(i int) int8 { return int8(i) })
	sizes("uintptr", func(i int) uintptr { return uintptr(i) }, number)
	sizes("float32", func(i int) float32 { return float32(i) / 3 }, number)
	sizes("float64", func(i int) float64 { return float64(i) / 7 }, number)
	sizes("nan", func(i int) float64 { return math.NaN() }, number)
	fill("zeros", 2, 0, func(i int) float64 { return math.Copysign(0, float64(i*2-1)) }, number)
	sizes("complex128", func(i int) complex128 { return complex(float64(i), -float64(i)) }, number)
	sizes("complex64", func(i int) complex64 { return complex(float32(i), 1) }, number)
	sizes("point", func(i int) point { return point{int32(i), fmt.Sprint("p", i)} }, number)
	sizes("padded", func(i int) padded { return padded{int8(i), int64(i), int16(i)} }, number)
	sizes("blank", func(i int) blank { return blank{A: int32(i), B: [2]uint16{1, uint16(i)}} }, number)
	sizes("array", func(i int) [3]int16 { return [3]int16{int16(i), 2, 3} }, number)
	sizes("names", func(i int) [2]string { return [2]string{"a", fmt.Sprint(i)} }, number)
	sizes("bytes", func(i int) [24]byte { return [24]byte{byte(i), 23: 1} }, number)
	sizes("long", func(i int) [120]byte { return [120]byte{byte(i), 119: 1} }, number)
	sizes("large-key", func(i int) large { return large{byte(i), 199: 9} }, number)
	sizes("large-elem", func(i int) int { return i }, func(i int) large { return large{byte(i), 199: 9} })
	sizes("large-both", func(i int) large { return large{3: byte(i)} }, func(i int) [17]string { return [17]string{3: fmt.Sprint(i)} })
	sizes("pointer", func(i int) *point { return &point{} }, number)
	sizes("chan", func(i int) chan int { return make(chan int) }, number)
	sizes("unsafe", func(i int) unsafe.Pointer { return unsafe.Pointer(new(int64)) }, number)
	sizes("set", func(i int) string { return fmt.Sprint("member ", i) }, func(int) struct{} { return struct{}{} })
	fill("unit", 1, 0, func(int) struct{} { return struct{}{} }, number)
	interfaces("any", map[any]any(nil), func(i int) any {
		switch i % 9 {
		case 0:
			return i
		case 1:
			return fmt.Sprint("any ", i)
		case 2:
			return float64(i)
		case 3:
			return point{int32(i), "x"}
		case 4:
			return &seed
		case 5:
			return [2]any{i, "in"}
		case 6:
			return nil
		case 7:
			return uint8(i)
		default:
			return inner{Any: i, Name: "n", F: float32(i)}
		}
	}, func(i int) any { return fmt.Sprint(i) })
	interfaces("error", map[error]int64(nil), func(i int) any {
		if i%3 == 0 {
			return errors.New("plain")
		}
		return failure{i}
	}, func(i int) any { return number(i) })
	interfaces("inner", map[inner]int64(nil), func(i int) any { return inner{i, fmt.Sprint(i), float32(i)} },
		func(i int) any { return number(i) })
}

// Keys that are or hold interfaces, which Go 1.19 does not take for comparable.
func interfaces(name string, sample any, key, elem func(int) any) {
	of := reflect.TypeOf(sample)
	value := func(v any, of reflect.Type) reflect.Value {
		if v == nil {
			return reflect.Zero(of)
		}
		return reflect.ValueOf(v)
	}
	for _, count := range []int{1, 8, 9, 60, 200} {
		m := reflect.MakeMap(of)
		for i := 0; i < count; i++ {
			m.SetMapIndex(value(key(i), of.Key()), value(elem(i), of.Elem()))
		}
		for i := 0; count > 60 && i < count; i += 3 {
			m.SetMapIndex(value(key(i), of.Key()), reflect.Value{})
		}
		show(fmt.Sprintf("%s/%d", name, count), m.Interface())
	}
}

func empties() {
	var none map[string]int
	show("nil", none)
	show("unallocated", map[string]int{})
	show("roomy", make(map[string]int, 100))
	show("huge", make(map[int32]int32, 5000))
	emptied := map[string]int{}
	for i := 0; i < 500; i++ {
		emptied[fmt.Sprint(i)] = i
	}
	for key := range emptied {
		delete(emptied, key)
	}
	show("cleared", emptied)
	one := map[int]string{}
	for i := 0; i < 500; i++ {
		one[i] = "x"
		delete(one, i)
	}
	show("churned", one)
	half := map[int]int{}
	for i := 0; i < 5000; i++ {
		half[i] = i
	}
	for i := 0; i < 5000; i++ {
		if i%5 != 0 {
			delete(half, i)
		}
	}
	for i := 5000; i < 5100; i++ {
		half[i] = i
	}
	show("thinned", half)
	named := users{"bob": {1, "b"}, "eve": nil}
	show("named", named)
	generic := &table[string, map[int]bool]{Rows: map[string]map[int]bool{}}
	generic.put("row", map[int]bool{1: true})
	show("generic", generic.Rows)
}

func promote(m *sync.Map) { m.Range(func(any, any) bool { return true }) }

func shared() {
	var empty, stored, promoted, expunged, both, many sync.Map
	showShared("empty", &empty, nil)
	var pairs []pair
	store := func(m *sync.Map, key, value any) {
		m.Store(key, value)
		pairs = append(pairs, pair{key, value})
	}
	for i := 0; i < 3; i++ {
		store(&stored, i, fmt.Sprint("value ", i))
	}
	showShared("stored", &stored, pairs)
	pairs = nil
	for i := 0; i < 20; i++ {
		store(&promoted, fmt.Sprint("key ", i), i)
	}
	promote(&promoted)
	promoted.Delete("key 0")
	showShared("promoted", &promoted, pairs[1:])
	pairs = nil
	for i := 0; i < 20; i++ {
		store(&expunged, i, point{int32(i), "old"})
	}
	promote(&expunged)
	for i := 0; i < 10; i++ {
		expunged.Delete(i)
	}
	pairs = pairs[10:]
	// Up to Go 1.23 this makes a new dirty map, which the deleted entries are not part of. What is deleted or
	// changed from here on is an entry of both.
	store(&expunged, "new", 1)
	expunged.Delete(10)
	expunged.Store(11, nil)
	pairs = pairs[1:]
	pairs[0].value = nil
	showShared("expunged", &expunged, pairs)
	pairs = nil
	for i := 0; i < 5; i++ {
		store(&both, float64(i), i)
	}
	promote(&both)
	store(&both, [2]int{1, 2}, &both)
	showShared("both", &both, pairs)
	pairs = nil
	for i := 0; i < 1000; i++ {
		many.Store(i, uint16(i))
		if i%3 == 0 {
			many.Delete(i)
		} else {
			pairs = append(pairs, pair{i, uint16(i)})
		}
	}
	showShared("many", &many, pairs)
}

func main() {
	keys()
	empties()
	shared()
	panic(fmt.Sprint("maps are told of: ", len(keep)))
}
