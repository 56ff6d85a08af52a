// A visitor that follows a cycle in what it takes for a tree. The stack limit is low so that the
// core stays small.
package main

import (
	"fmt"
	"runtime/debug"
)

type node struct {
	name     string
	children []*node
}

type visitor struct {
	visited int
}

//go:noinline
func (v *visitor) walk(n *node, depth int) int {
	v.visited++
	total := len(n.name)
	for _, c := range n.children {
		total += v.descend(c, depth+1)
	}
	return total
}

//go:noinline
func (v *visitor) descend(n *node, depth int) int {
	var path [8]int
	path[depth%8] = depth
	return v.walk(n, depth) + path[(depth+1)%8]
}

func main() {
	debug.SetMaxStack(1 << 20)
	root := &node{name: "root"}
	leaf := &node{name: "leaf", children: []*node{root}}
	root.children = []*node{leaf}
	done := make(chan int)
	go func() { done <- (&visitor{}).walk(root, 0) }()
	fmt.Println(<-done)
}
