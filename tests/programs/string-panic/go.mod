module example.com/panicle/string-panic

go 1.21
