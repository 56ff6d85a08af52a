module example.com/panicle/makeslice

go 1.21
