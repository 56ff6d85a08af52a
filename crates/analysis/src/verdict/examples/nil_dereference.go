package example

import "fmt"

type User struct{ Name string }

// What may be missing is said by an error, and looked at before the pointer is.
func find(users map[string]*User, id string) (*User, error) {
	u, ok := users[id]
	if !ok || u == nil {
		return nil, fmt.Errorf("no user %q", id)
	}
	return u, nil
}

func greet(users map[string]*User, id string) (string, error) {
	u, err := find(users, id)
	if err != nil {
		return "", err
	}
	return "hello " + u.Name, nil
}
