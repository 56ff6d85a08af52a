module example.com/panicle/fault-address

go 1.21
