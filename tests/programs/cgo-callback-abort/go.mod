module example.com/panicle/cgo-callback-abort

go 1.21
