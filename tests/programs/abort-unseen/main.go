// A library has taken SIGABRT's handler away from Go's runtime and sends the signal: the kernel ends the
// process, and the runtime never hears of it.
package main

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

type action struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

//go:noinline
func abort() {
	var ignore action
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGABRT), uintptr(unsafe.Pointer(&ignore)), 0, 8, 0, 0)
	syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(syscall.Getpid()), uintptr(syscall.Gettid()), uintptr(syscall.SIGABRT))
}

func main() {
	fmt.Fprintln(os.Stderr, "giving up")
	abort()
}
