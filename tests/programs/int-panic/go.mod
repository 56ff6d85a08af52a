module example.com/panicle/int-panic

go 1.21
