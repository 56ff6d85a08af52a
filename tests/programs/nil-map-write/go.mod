module example.com/panicle/nil-map-write

go 1.21
