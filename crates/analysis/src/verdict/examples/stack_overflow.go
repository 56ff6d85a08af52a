package example

import "fmt"

type Node struct{ Children []*Node }

// The depth that comes from input has an end.
func depth(n *Node, left int) (int, error) {
	if left == 0 {
		return 0, fmt.Errorf("nested too deep")
	}
	most := 0
	for _, child := range n.Children {
		d, err := depth(child, left-1)
		if err != nil {
			return 0, err
		}
		most = max(most, d)
	}
	return most + 1, nil
}
