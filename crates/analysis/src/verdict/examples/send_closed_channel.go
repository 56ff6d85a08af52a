package example

import "sync"

// All senders are waited for; then, and only then, the channel is closed.
func collect(tasks []func() int) <-chan int {
	results := make(chan int)
	var senders sync.WaitGroup
	for _, task := range tasks {
		task := task
		senders.Add(1)
		go func() {
			defer senders.Done()
			results <- task()
		}()
	}
	go func() {
		senders.Wait()
		close(results)
	}()
	return results
}
