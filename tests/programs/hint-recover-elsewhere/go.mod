module example.com/panicle/hint-recover-elsewhere

go 1.21
