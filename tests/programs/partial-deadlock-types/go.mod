module example.com/panicle/partial-deadlock-types

go 1.21
