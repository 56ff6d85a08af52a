// A consistent-hash ring that is asked for one replica more than it has nodes.
package main

import (
	"fmt"
	"os"
	"strconv"

	"example.com/panicle/index-out-of-range/ring"
)

//go:noinline
func placement(r *ring.Ring, key string, replicas int) []string {
	out := make([]string, 0, replicas)
	for i := 0; i < replicas; i++ {
		out = append(out, r.Node(key, i))
	}
	return out
}

func main() {
	replicas := 4
	if len(os.Args) > 1 {
		replicas, _ = strconv.Atoi(os.Args[1])
	}
	r := ring.New("node-a", "node-b", "node-c")
	fmt.Println(placement(r, "user:1234", replicas))
}
