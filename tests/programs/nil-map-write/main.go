// A session cache whose constructor forgot to make its index: the first login writes to a nil map,
// three calls below the request handler.
package main

import (
	"fmt"

	"example.com/panicle/nil-map-write/internal/session"
)

type request struct {
	user   string
	tenant string
	roles  []string
}

type server struct {
	cache *session.Cache
	count int
}

//go:noinline
func (s *server) handleLogin(r request) (string, error) {
	s.count++
	token := fmt.Sprintf("%s/%s/%d", r.tenant, r.user, s.count)
	if err := s.cache.Put(token, session.Session{User: r.user, Roles: r.roles, Hits: s.count}); err != nil {
		return "", err
	}
	return token, nil
}

//go:noinline
func serve(s *server, requests <-chan request, done chan<- int) {
	handled := 0
	for r := range requests {
		if _, err := s.handleLogin(r); err == nil {
			handled++
		}
	}
	done <- handled
}

func main() {
	s := &server{cache: session.NewCache(64)}
	requests := make(chan request)
	done := make(chan int)
	go serve(s, requests, done)
	requests <- request{user: "ada", tenant: "acme", roles: []string{"admin", "billing"}}
	close(requests)
	fmt.Println("handled", <-done)
}
