module example.com/panicle/send-closed-channel

go 1.21
