module example.com/panicle/maps

go 1.21
