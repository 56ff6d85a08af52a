module example.com/panicle/negative-waitgroup

go 1.21
