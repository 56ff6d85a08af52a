module example.com/panicle/bad-pointer

go 1.21
