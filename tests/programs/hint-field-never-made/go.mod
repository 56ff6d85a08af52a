module example.com/panicle/hint-field-never-made

go 1.21
