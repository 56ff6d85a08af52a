module example.com/panicle/concurrent-map-writes

go 1.21
