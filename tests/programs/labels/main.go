// Profiler labels on several goroutines, inherited, nested and odd ones among them. Ended from
// outside with SIGQUIT.
package main

import (
	"context"
	"fmt"
	"runtime/pprof"
	"time"
)

var stop = make(chan struct{})

//go:noinline
func handle(ctx context.Context, route string) {
	pprof.Do(ctx, pprof.Labels("route", route, "tenant", "acme"), func(ctx context.Context) {
		go background(route)
		<-stop
	})
}

//go:noinline
func background(route string) {
	select {
	case <-stop:
	case <-time.After(time.Hour):
	}
}

func main() {
	ctx := context.Background()
	for _, r := range []string{"/orders", "/users/{id}"} {
		go handle(ctx, r)
	}
	go pprof.Do(ctx, pprof.Labels("req id", "a b", "quote", `say "hi"`, "empty", ""), func(ctx context.Context) {
		pprof.Do(ctx, pprof.Labels("zone", "eu:west", "a", "1"), func(context.Context) { <-stop })
	})
	go func() {
		pprof.SetGoroutineLabels(pprof.WithLabels(ctx, pprof.Labels("svc", "pay")))
		time.Sleep(time.Hour)
	}()
	go background("unlabelled")
	time.Sleep(50 * time.Millisecond)
	fmt.Println("ready")
	<-stop
}
