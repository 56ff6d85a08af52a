module example.com/panicle/abort-unseen

go 1.21
