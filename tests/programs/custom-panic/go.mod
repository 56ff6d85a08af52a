module example.com/panicle/custom-panic

go 1.21
