module example.com/panicle/big-map

go 1.21
