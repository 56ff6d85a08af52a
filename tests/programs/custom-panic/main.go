// A panic with a value of the program's own type, which is a Stringer.
package main

import "fmt"

type violation struct {
	Rule     string
	Severity int
	Path     []string
	Limits   map[string]float64
}

func (v violation) String() string { return fmt.Sprintf("rule %s (severity %d)", v.Rule, v.Severity) }

//go:noinline
func enforce(rule string, path ...string) {
	panic(violation{Rule: rule, Severity: 3, Path: path, Limits: map[string]float64{"max": 9.5}})
}

//go:noinline
func check(depth int) {
	if depth == 0 {
		enforce("no-cycles", "a", "b", "a")
	}
	check(depth - 1)
}

func main() {
	check(3)
}
