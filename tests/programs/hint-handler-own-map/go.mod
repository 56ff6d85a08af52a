module example.com/panicle/hint-handler-own-map

go 1.21
