package reference

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// shutdownGrace is how long requests under way may take when the server stops.
const shutdownGrace = 5 * time.Second

// Serve serves [Handler] on a listener until ctx is done. Then it takes no more
// requests, lets those under way end and returns nil. It ends by itself, with the error,
// once something could not be saved ([State]). It closes the listener.
func Serve(ctx context.Context, l net.Listener, core *Core) error {
	server := &http.Server{
		Handler:           Handler(core),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("relying party on %s: %w", l.Addr(), err)
	case <-core.config.State.Lost():
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("relying party on %s: stopping: %w", l.Addr(), err), server.Close())
	}
	return core.Save()
}
