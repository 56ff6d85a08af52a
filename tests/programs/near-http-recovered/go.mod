module example.com/panicle/near-http-recovered

go 1.21
