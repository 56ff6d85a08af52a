// Command labels dies while goroutines carry profiler labels.
package main

import (
	"context"
	"runtime/pprof"
	"time"
)

func main() {
	for _, set := range [][]string{
		{"svc", "pay"},
		{"req id", "a b", "svc", "pay"},
		{"quote", `a "b" {c}: d]`, "line", "x\ny\té世\x7f\xff"},
	} {
		go pprof.Do(context.Background(), pprof.Labels(set...), func(context.Context) { select {} })
	}
	time.Sleep(10 * time.Millisecond)
	panic("labels")
}
