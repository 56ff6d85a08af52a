module example.com/panicle/near-map-error

go 1.21
