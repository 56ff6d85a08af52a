module example.com/panicle/near-nil-map-words

go 1.21
