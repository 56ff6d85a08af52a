package example

// What the result of nothing is, is decided and not divided.
func mean(values []int) (int, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sum := 0
	for _, v := range values {
		sum += v
	}
	return sum / len(values), true
}
