// An invariant that does not hold. The message has two lines, the second of which looks like a goroutine header.
package main

import "fmt"

type machine struct {
	state string
	seen  []string
}

//go:noinline
func (m *machine) next(event string) {
	m.seen = append(m.seen, event)
	switch event {
	case "open":
		m.state = "opened"
	case "close":
		m.state = "closed"
	default:
		panic("machine: no transition from " + m.state + " on " + event + "\ngoroutine 99 [running]:\nmain.forged()")
	}
}

func main() {
	m := &machine{state: "new"}
	for _, e := range []string{"open", "close", "explode"} {
		m.next(e)
	}
	fmt.Println(m.state)
}
