// Handlers of a server count in a map that all of them share.
package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

type app struct{ hits map[int]int }

//go:noinline
func (a *app) count(n int) {
	for i := 0; i < 1<<20; i++ {
		a.hits[(n+i)%256]++
	}
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.count(len(r.URL.Path))
	fmt.Fprintln(w, "ok")
}

func main() {
	a := &app{hits: map[int]int{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := httptest.NewUnstartedServer(a)
	s.Listener = l
	s.Start()
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				resp, err := http.Get(s.URL + "/orders")
				if err == nil {
					_ = resp.Body.Close()
				}
			}
		}()
	}
	wg.Wait()
}
