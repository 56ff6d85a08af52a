module example.com/panicle/data-race

go 1.21
