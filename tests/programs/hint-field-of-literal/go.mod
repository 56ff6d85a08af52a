module example.com/panicle/hint-field-of-literal

go 1.21
