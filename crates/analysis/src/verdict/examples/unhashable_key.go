package example

import "strings"

// A key of comparable parts: what varies in length is joined to a string.
type key struct {
	tenant string
	path   string
}

func keyOf(tenant string, path []string) key {
	return key{tenant: tenant, path: strings.Join(path, "\x00")}
}
