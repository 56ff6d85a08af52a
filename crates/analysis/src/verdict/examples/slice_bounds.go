package example

import "strings"

// -1 (not found) is handled, and the end stays within the length.
func after(text, mark string, most int) string {
	at := strings.Index(text, mark)
	if at < 0 {
		return ""
	}
	rest := text[at+len(mark):]
	return rest[:min(most, len(rest))]
}
