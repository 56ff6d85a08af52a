module example.com/panicle/index-out-of-range

go 1.21
