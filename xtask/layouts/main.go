// Refers to enough of Go that the linker keeps debug information of everything the engine reads:
// the runtime's own structures are always there, type descriptors and labels only when used.
package main

import (
	"context"
	"fmt"
	"reflect"
	"runtime/pprof"
	"strings"
	"sync"
)

type thing struct {
	name  string
	array [3]int
}

var shared sync.Map

func main() {
	shared.Store("key", thing{})
	shared.Range(func(key, value any) bool { fmt.Println(key, value); return true })
	labels := pprof.Labels("key", "value")
	pprof.Do(context.Background(), labels, func(context.Context) {
		values := []any{
			thing{}, &thing{}, []thing{}, map[string]thing{}, make(chan thing), strings.ToUpper,
			[2]thing{}, fmt.Stringer(nil), struct{ error }{},
		}
		for _, value := range values {
			of := reflect.TypeOf(value)
			if of == nil {
				continue
			}
			fmt.Println(of, of.Kind(), of.NumMethod(), of.PkgPath())
			if of.Kind() == reflect.Struct {
				fmt.Println(of.Field(0), reflect.StructOf([]reflect.StructField{{Name: "A", Type: of}}))
			}
			fmt.Println(reflect.PointerTo(of), reflect.MapOf(reflect.TypeOf(""), of), reflect.ChanOf(reflect.BothDir, of))
			fmt.Println(reflect.SliceOf(of), reflect.ArrayOf(2, of), reflect.FuncOf([]reflect.Type{of}, nil, false))
		}
	})
}
