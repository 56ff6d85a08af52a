// Package config has a default that does not parse.
package config

import (
	"fmt"
	"strconv"
)

// Config is the configuration.
type Config struct{ Port int }

// Default is computed at start.
var Default = mustParse("80a")

//go:noinline
func mustParse(port string) Config {
	n, err := strconv.Atoi(port)
	if err != nil {
		panic(fmt.Errorf("config: port: %w", err))
	}
	return Config{Port: n}
}
