module example.com/panicle/near-lock-contention

go 1.21
