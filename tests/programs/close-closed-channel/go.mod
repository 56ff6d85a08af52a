module example.com/panicle/close-closed-channel

go 1.21
