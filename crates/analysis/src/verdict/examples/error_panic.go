package example

import (
	"fmt"
	"os"
)

// The error goes up, and each level says what it was doing.
func load(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load settings: %w", err)
	}
	return text, nil
}
