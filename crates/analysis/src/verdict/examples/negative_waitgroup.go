package example

import "sync"

// Add before the go statement, Done once and deferred.
func all(tasks []func()) {
	var wg sync.WaitGroup
	for _, task := range tasks {
		task := task
		wg.Add(1)
		go func() {
			defer wg.Done()
			task()
		}()
	}
	wg.Wait()
}
