package example

import "fmt"

type bailout struct{ reason string }

// A panic that is control flow ends at the edge of its package.
func Parse(parse func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case bailout:
			err = fmt.Errorf("parse: %s", r.reason)
		default:
			panic(r)
		}
	}()
	parse()
	return nil
}
