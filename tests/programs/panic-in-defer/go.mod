module example.com/panicle/panic-in-defer

go 1.21
