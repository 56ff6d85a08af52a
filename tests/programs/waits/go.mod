module example.com/panicle/waits

go 1.21
