module example.com/panicle/unlock-unlocked

go 1.21
