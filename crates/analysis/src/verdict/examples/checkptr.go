package example

import (
	"encoding/binary"
	"fmt"
)

type header struct {
	magic  uint32
	length uint32
}

// Bytes become a struct field by field, after a look at their length.
func parse(b []byte) (header, error) {
	if len(b) < 8 {
		return header{}, fmt.Errorf("a header of %d bytes", len(b))
	}
	return header{magic: binary.LittleEndian.Uint32(b), length: binary.LittleEndian.Uint32(b[4:])}, nil
}
