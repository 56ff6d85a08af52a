module example.com/panicle/type-assertion

go 1.21
