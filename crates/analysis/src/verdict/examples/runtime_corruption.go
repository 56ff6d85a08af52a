package example

import (
	"runtime"
	"unsafe"
)

// The object is kept as a pointer and held until its last use; an address alone (uintptr) keeps nothing alive.
func withAddress(buffer []byte, call func(address uintptr, length int)) {
	if len(buffer) == 0 {
		return
	}
	call(uintptr(unsafe.Pointer(unsafe.SliceData(buffer))), len(buffer))
	runtime.KeepAlive(buffer)
}
