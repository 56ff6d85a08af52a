module example.com/panicle/hint-no-recover

go 1.21
