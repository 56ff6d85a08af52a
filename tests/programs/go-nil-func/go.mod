module example.com/panicle/go-nil-func

go 1.21
