module example.com/panicle/unhashable-key

go 1.21
