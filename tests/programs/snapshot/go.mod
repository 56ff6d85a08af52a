module example.com/panicle/snapshot

go 1.21
