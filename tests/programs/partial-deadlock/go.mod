module example.com/panicle/partial-deadlock

go 1.21
