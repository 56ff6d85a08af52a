module example.com/panicle/close-nil-channel

go 1.21
