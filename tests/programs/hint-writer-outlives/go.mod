module example.com/panicle/hint-writer-outlives

go 1.21
