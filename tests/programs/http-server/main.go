// A small HTTP service under load: requests in flight, a database pool, a background sweeper; a
// panic in a goroutine that a handler started, out of reach of net/http's recover.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

type order struct {
	ID    int      `json:"id"`
	Items []string `json:"items"`
	Note  *string  `json:"note"`
}

type app struct {
	mu     sync.RWMutex
	orders map[int]*order
	pool   chan struct{}
	audit  chan string
}

//go:noinline
func (a *app) notify(o *order) {
	a.audit <- fmt.Sprintf("order %d: %s", o.ID, *o.Note)
}

func (a *app) create(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.orders[o.ID] = &o
	a.mu.Unlock()
	go a.notify(&o)
	w.WriteHeader(http.StatusAccepted)
}

func (a *app) slow(w http.ResponseWriter, r *http.Request) {
	a.pool <- struct{}{}
	defer func() { <-a.pool }()
	select {
	case <-r.Context().Done():
	case <-time.After(time.Hour):
	}
}

func (a *app) sweep(every time.Duration) {
	for range time.Tick(every) {
		a.mu.Lock()
		for id, o := range a.orders {
			if len(o.Items) == 0 {
				delete(a.orders, id)
			}
		}
		a.mu.Unlock()
	}
}

func main() {
	a := &app{orders: map[int]*order{}, pool: make(chan struct{}, 2), audit: make(chan string, 16)}
	mux := http.NewServeMux()
	mux.HandleFunc("/orders", a.create)
	mux.HandleFunc("/slow", a.slow)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go a.sweep(10 * time.Millisecond)
	go http.Serve(l, mux)
	base := "http://" + l.Addr().String()
	for i := 0; i < 5; i++ {
		go http.Get(base + "/slow")
	}
	time.Sleep(100 * time.Millisecond)
	for i, body := range []string{`{"id":1,"items":["a"],"note":"gift"}`, `{"id":2,"items":["b","c"]}`} {
		resp, err := http.Post(base+"/orders", "application/json", strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		resp.Body.Close()
		time.Sleep(time.Duration(i+1) * 20 * time.Millisecond)
	}
	time.Sleep(time.Hour)
}
