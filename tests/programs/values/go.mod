module example.com/panicle/values

go 1.21
