module example.com/panicle/thread-exhaustion

go 1.21
