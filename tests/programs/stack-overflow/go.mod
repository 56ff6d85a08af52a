module example.com/panicle/stack-overflow

go 1.21
