module example.com/panicle/near-deadlock-words

go 1.21
