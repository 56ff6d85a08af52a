// A nil *fileLogger inside a Logger interface is not a nil Logger: the check passes, the call faults.
package main

import (
	"fmt"
	"os"
)

type logger interface {
	Log(level int, msg string)
}

type fileLogger struct {
	prefix string
	out    *os.File
	lines  int
}

func (l *fileLogger) Log(level int, msg string) {
	l.lines++
	fmt.Fprintf(l.out, "%s[%d] %s\n", l.prefix, level, msg)
}

//go:noinline
func open(path string) *fileLogger {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	return &fileLogger{prefix: "svc", out: f}
}

//go:noinline
func run(l logger, jobs int) {
	if l == nil {
		return
	}
	for i := 0; i < jobs; i++ {
		l.Log(i, "job done")
	}
}

func main() {
	run(open("/does/not/exist.log"), 3)
}
