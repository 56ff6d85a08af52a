// A package that panics in its own init, before main runs.
package main

import (
	"fmt"

	"example.com/panicle/init-panic/config"
)

func main() {
	fmt.Println(config.Default.Port)
}
