module example.com/panicle/lock-twice

go 1.21
