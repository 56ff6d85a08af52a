module example.com/panicle/maps-growing

go 1.21
