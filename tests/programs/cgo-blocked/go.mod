module example.com/panicle/cgo-blocked

go 1.21
