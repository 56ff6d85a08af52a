module example.com/panicle/cgo-abort

go 1.21
