module example.net/Books/ledger

go 1.19
