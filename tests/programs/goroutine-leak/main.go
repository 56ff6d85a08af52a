// A service that leaks goroutines over every kind of wait: channel, mutex, select, WaitGroup,
// network and sleep. Runs until it is ended from outside.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"example.com/panicle/goroutine-leak/leak"
)

func main() {
	n := 40
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	l, err := leak.Start(n)
	if err != nil {
		panic(err)
	}
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	fmt.Println("ready")
	l.Serve()
}
