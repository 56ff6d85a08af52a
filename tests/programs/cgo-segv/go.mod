module example.com/panicle/cgo-segv

go 1.21
