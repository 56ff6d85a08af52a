package example

import (
	"encoding/binary"
	"fmt"
	"io"
)

const largest = 16 << 20

// A length that comes from outside is held against a limit first.
func frame(r io.Reader) ([]byte, error) {
	var length uint32
	if err := binary.Read(r, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	if length > largest {
		return nil, fmt.Errorf("a frame of %d bytes", length)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}
