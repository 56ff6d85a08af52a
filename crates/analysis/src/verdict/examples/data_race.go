package example

import "sync/atomic"

// A number that several goroutines count up is an atomic one.
type Stats struct{ requests atomic.Int64 }

func (s *Stats) Count() { s.requests.Add(1) }

func (s *Stats) Requests() int64 { return s.requests.Load() }
