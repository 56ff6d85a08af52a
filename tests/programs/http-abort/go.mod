module example.com/panicle/http-abort

go 1.21
