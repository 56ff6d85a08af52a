module example.com/panicle/concurrent-map-reflection

go 1.21
