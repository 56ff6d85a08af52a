module example.com/panicle/concurrent-map-read-write

go 1.21
