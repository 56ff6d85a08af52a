module example.com/panicle/deadlock

go 1.21
