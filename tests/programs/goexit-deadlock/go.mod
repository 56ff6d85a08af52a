module example.com/panicle/goexit-deadlock

go 1.21
