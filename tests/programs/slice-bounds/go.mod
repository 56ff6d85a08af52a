module example.com/panicle/slice-bounds

go 1.21
