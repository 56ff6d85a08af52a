package example

import "fmt"

// A case that nobody thought of is an error with the value in it.
func rate(currency string) (float64, error) {
	switch currency {
	case "EUR":
		return 1, nil
	case "USD":
		return 1.08, nil
	default:
		return 0, fmt.Errorf("no rate for currency %q", currency)
	}
}
