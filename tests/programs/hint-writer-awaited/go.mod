module example.com/panicle/hint-writer-awaited

go 1.21
