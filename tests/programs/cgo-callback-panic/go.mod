module example.com/panicle/cgo-callback-panic

go 1.21
