// The near miss of hint-handler-map: the map belongs to one request, which shares it with goroutines that it
// started itself.
package main

import (
	"fmt"
	"net"
	"net/http"
	"sync"
)

//go:noinline
func fill(m map[int]int, from int) {
	for i := 0; i < 1<<24; i++ {
		m[(from+i)%256]++
	}
}

func handle(w http.ResponseWriter, r *http.Request) {
	m := map[int]int{}
	var wg sync.WaitGroup
	for i := 0; i < 2; i++ {
		i := i
		wg.Add(1)
		go func() {
			defer wg.Done()
			fill(m, i*100)
		}()
	}
	fill(m, 50)
	wg.Wait()
	fmt.Fprintln(w, len(m))
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(l, http.HandlerFunc(handle)) }()
	_, err = http.Get("http://" + l.Addr().String() + "/fill")
	fmt.Println(err)
}
