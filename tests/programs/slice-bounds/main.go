// A frame decoder believes the length in the header. Goroutine within goroutine within goroutine;
// the outermost means to recover what the innermost panics with, and cannot.
package main

import (
	"encoding/binary"
	"fmt"
	"sync"
)

type frame struct {
	kind    byte
	payload []byte
}

//go:noinline
func decode(b []byte) frame {
	n := int(binary.BigEndian.Uint16(b[1:3]))
	return frame{kind: b[0], payload: b[3 : 3+n]}
}

//go:noinline
func session(packets [][]byte, wg *sync.WaitGroup) {
	inner := make(chan frame)
	go func() {
		defer close(inner)
		for _, p := range packets {
			inner <- decode(p)
		}
	}()
	for f := range inner {
		fmt.Println(f.kind, len(f.payload))
	}
	wg.Done()
}

//go:noinline
func listener(conns int) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println("recovered", r)
		}
	}()
	var wg sync.WaitGroup
	for i := 0; i < conns; i++ {
		wg.Add(1)
		packets := [][]byte{{1, 0, 2, 9, 9}, {2, 0, 200, 1, 2, 3}}
		go session(packets, &wg)
	}
	wg.Wait()
}

func main() {
	done := make(chan struct{})
	go func() {
		listener(2)
		close(done)
	}()
	<-done
}
