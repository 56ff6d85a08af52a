module example.com/panicle/init-panic

go 1.21
