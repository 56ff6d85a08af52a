module example.com/panicle/hint-handler-map

go 1.21
