module example.com/panicle/checkptr

go 1.21
