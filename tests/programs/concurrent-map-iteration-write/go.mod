module example.com/panicle/concurrent-map-iteration-write

go 1.21
