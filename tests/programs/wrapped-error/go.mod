module example.com/panicle/wrapped-error

go 1.21
