module example.com/panicle/near-recovered-nil

go 1.21
