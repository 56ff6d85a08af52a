module example.com/panicle/divide-by-zero

go 1.21
