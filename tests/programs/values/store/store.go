// Package store has types whose package path is longer than its name.
package store

// Item is stored by its key.
type Item struct {
	Key string
	Val []byte
}

// Pair is generic.
type Pair[K comparable, V any] struct {
	Key K
	Val V
}
