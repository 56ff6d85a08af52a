package example

import "runtime"

// Memory that C keeps a pointer to is pinned for as long as C has it, and its length goes with it.
func handOver(buffer []byte, call func(first *byte, length int)) {
	if len(buffer) == 0 {
		return
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	pinner.Pin(&buffer[0])
	call(&buffer[0], len(buffer))
}
