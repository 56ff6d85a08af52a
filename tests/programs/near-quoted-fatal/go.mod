module example.com/panicle/near-quoted-fatal

go 1.21
