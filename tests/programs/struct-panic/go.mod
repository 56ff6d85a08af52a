module example.com/panicle/struct-panic

go 1.21
