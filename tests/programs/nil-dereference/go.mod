module example.com/panicle/nil-dereference

go 1.21
