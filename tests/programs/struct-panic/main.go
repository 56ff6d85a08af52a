// A panic with a plain struct: the runtime prints its type and address only.
package main

type abort struct {
	Code   int
	Reason string
	Retry  bool
}

//go:noinline
func fail(code int, reason string) {
	panic(&abort{Code: code, Reason: reason, Retry: true})
}

func main() {
	done := make(chan bool)
	go func() {
		defer close(done)
		fail(17, "quota")
	}()
	<-done
}
