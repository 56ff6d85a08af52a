module example.com/panicle/near-error-name

go 1.21
