module example.com/shop

go 1.19

require example.net/Books/ledger v1.4.2
