module example.com/panicle/near-idle-pool

go 1.21
