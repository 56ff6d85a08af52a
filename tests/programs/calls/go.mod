module example.com/panicle/calls

go 1.21
