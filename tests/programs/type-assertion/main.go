// A configuration value that is a float64 after JSON, and an int in the code that reads it.
package main

import (
	"encoding/json"
	"fmt"
)

type settings map[string]any

//go:noinline
func (s settings) number(key string) int {
	return s[key].(int)
}

//go:noinline
func configure(raw string) (int, error) {
	var s settings
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return 0, err
	}
	return s.number("workers") + s.number("queue"), nil
}

func main() {
	fmt.Println(configure(`{"workers": 8, "queue": 128}`))
}
