// A server whose handler panics: net/http recovers it and logs it, the process goes on.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

type store struct{ rows map[string]int }

func (s *store) count(name string) { s.rows[name]++ }

func main() {
	var s store
	http.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) { s.count(r.URL.Path) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go http.Serve(listener, nil)
	http.Get("http://" + listener.Addr().String() + "/count")
	time.Sleep(50 * time.Millisecond)
}
