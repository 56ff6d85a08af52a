package example

import "fmt"

// The form with two results, and a word about what was there instead.
func number(value any) (float64, error) {
	switch v := value.(type) {
	case float64:
		return v, nil
	case int:
		return float64(v), nil
	default:
		return 0, fmt.Errorf("a number was expected, not %T", value)
	}
}
