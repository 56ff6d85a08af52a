module example.com/panicle/busy

go 1.21
