module example.com/panicle/order-service

go 1.21
