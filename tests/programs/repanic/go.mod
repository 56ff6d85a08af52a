module example.com/panicle/repanic

go 1.21
