// A handler panics, net/http recovers it and prints it; the service lives on until it is ended from outside.
package main

import (
	"fmt"
	"net"
	"net/http"
)

type profile struct{ email *string }

//go:noinline
func handle(w http.ResponseWriter, r *http.Request) {
	p := &profile{}
	fmt.Fprintln(w, *p.email)
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for i := 0; i < 3; i++ {
			_, _ = http.Get("http://" + l.Addr().String())
		}
		fmt.Println("ready")
	}()
	_ = http.Serve(l, http.HandlerFunc(handle))
}
