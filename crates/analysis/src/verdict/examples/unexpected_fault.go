package example

import (
	"fmt"
	"runtime/debug"
)

// A fault in a mapping that may shrink becomes an error.
func checksum(mapping []byte) (sum uint32, err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read mapping: %v", r)
		}
	}()
	for _, b := range mapping {
		sum = sum*31 + uint32(b)
	}
	return sum, nil
}
