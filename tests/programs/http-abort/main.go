// http.ErrAbortHandler is for handlers, whose server recovers it. Here a goroutine that the handler started
// panics with it.
package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

//go:noinline
func stream(w http.ResponseWriter, chunks int) {
	if chunks > 2 {
		panic(http.ErrAbortHandler)
	}
	fmt.Fprintln(w, chunks)
}

func handle(w http.ResponseWriter, r *http.Request) {
	go func() {
		for i := 0; i < 5; i++ {
			stream(w, i)
		}
	}()
	time.Sleep(time.Second)
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(l, http.HandlerFunc(handle)) }()
	_, err = http.Get("http://" + l.Addr().String() + "/stream")
	fmt.Println(err)
}
