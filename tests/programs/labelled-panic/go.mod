module example.com/panicle/labelled-panic

go 1.21
