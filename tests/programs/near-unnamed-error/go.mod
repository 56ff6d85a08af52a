module example.com/panicle/near-unnamed-error

go 1.21
