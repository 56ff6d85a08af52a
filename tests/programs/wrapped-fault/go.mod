module example.com/panicle/wrapped-fault

go 1.21
