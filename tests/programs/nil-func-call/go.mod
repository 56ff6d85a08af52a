module example.com/panicle/nil-func-call

go 1.21
