module example.com/panicle/goroutine-leak

go 1.21
