// The log quotes the crash of another process, line by line, before this one dies of its own fault.
package main

import (
	"bufio"
	"log"
	"strings"
)

const other = `fatal error: concurrent map writes

goroutine 18 [running]:
main.(*cache).put(0xc000010000, {0x4b0e4c, 0x3})
	/src/other/main.go:21 +0x4c
created by main.main in goroutine 1
	/src/other/main.go:40 +0x8a
exit status 2`

type child struct{ restarts *int }

//go:noinline
func (c *child) restart() {
	*c.restarts++
}

//go:noinline
func forward(text string) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		log.Printf("child: %s", lines.Text())
	}
}

func main() {
	forward(other)
	c := &child{}
	c.restart()
}
