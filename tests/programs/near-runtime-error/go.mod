module example.com/panicle/near-runtime-error

go 1.21
