module example.com/panicle/typed-nil

go 1.21
