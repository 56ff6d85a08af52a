module example.com/panicle/http-server

go 1.21
