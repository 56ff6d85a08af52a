// A metrics exporter ranges over the map that request handlers write to.
package main

import "fmt"

type gauge struct {
	name  string
	value float64
}

type exporter struct {
	gauges map[int]*gauge
}

//go:noinline
func (e *exporter) sum() float64 {
	total := 0.0
	for _, g := range e.gauges {
		total += g.value
	}
	return total
}

//go:noinline
func (e *exporter) update(id int, v float64) {
	e.gauges[id] = &gauge{name: "requests", value: v}
}

func main() {
	e := &exporter{gauges: map[int]*gauge{}}
	for i := 0; i < 512; i++ {
		e.update(i, 1)
	}
	go func() {
		for i := 0; ; i++ {
			e.update(i%512, float64(i))
		}
	}()
	total := 0.0
	for i := 0; i < 500_000; i++ {
		total += e.sum()
	}
	fmt.Println("not detected", total)
}
