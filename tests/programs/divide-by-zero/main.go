// An average over an empty window.
package main

import "fmt"

type window struct {
	name    string
	samples []int64
}

//go:noinline
func (w window) mean() int64 {
	var sum int64
	for _, s := range w.samples {
		sum += s
	}
	return sum / int64(len(w.samples))
}

//go:noinline
func report(ws map[string]window, order ...string) {
	for _, name := range order {
		fmt.Println(name, ws[name].mean())
	}
}

func main() {
	report(map[string]window{
		"p50": {name: "p50", samples: []int64{1, 2, 3}},
		"p99": {name: "p99"},
	}, "p50", "p99")
}
