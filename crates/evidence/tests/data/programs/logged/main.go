// Panics that a program catches and logs as its own records, and crashes that go elsewhere.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

type job struct{ id int }

func (j *job) run(rows []int) int { return rows[j.id] }

func work(logger *slog.Logger) {
	defer func() {
		if r := recover(); r != nil {
			logger.Error("job failed", "panic", fmt.Sprint(r), "stack", string(debug.Stack()), "attempt", 3)
		}
	}()
	(&job{7}).run([]int{1, 2})
}

var kept [][]byte

func main() {
	switch os.Args[1] {
	case "json":
		work(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	case "text":
		work(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	case "quoted":
		defer func() {
			recover()
			fmt.Fprintf(os.Stderr, "worker 3 failed: %q\n", debug.Stack())
		}()
		panic(errors.New("no rows"))
	case "gctrace":
		// GODEBUG=gctrace=1,schedtrace=1: its lines come before and between those of the crash.
		go func() {
			for {
				runtime.GC()
			}
		}()
		time.Sleep(30 * time.Millisecond)
		var rows map[string]int
		rows["a"] = 1
	case "output":
		crashOutput(os.Args[2])
		var rows map[string]int
		rows["a"] = 1
	}
}
