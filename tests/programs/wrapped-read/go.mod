module example.com/panicle/wrapped-read

go 1.21
