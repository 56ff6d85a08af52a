module example.com/panicle/out-of-memory

go 1.21
