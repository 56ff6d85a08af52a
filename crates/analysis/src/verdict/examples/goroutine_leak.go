package example

import "context"

// The goroutine ends with the context, whoever has stopped listening.
func produce(ctx context.Context, next func() int) <-chan int {
	out := make(chan int)
	go func() {
		defer close(out)
		for {
			select {
			case out <- next():
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
