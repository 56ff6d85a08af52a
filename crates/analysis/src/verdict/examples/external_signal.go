package example

import (
	"context"
	"net/http"
	"os/signal"
	"syscall"
	"time"
)

// SIGTERM ends the server; what is in flight has a moment to finish.
func serve(server *http.Server) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}()
	return server.ListenAndServe()
}
