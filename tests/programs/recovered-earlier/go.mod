module example.com/panicle/recovered-earlier

go 1.21
