package example

import "fmt"

// Missing is a case of its own, and not an index.
func column(row []string, n int) (string, error) {
	if n < 0 || n >= len(row) {
		return "", fmt.Errorf("column %d of a row of %d", n, len(row))
	}
	return row[n], nil
}
