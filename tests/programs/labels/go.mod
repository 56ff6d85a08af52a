module example.com/panicle/labels

go 1.21
