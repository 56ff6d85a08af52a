module example.com/panicle/concurrent-maps

go 1.21
