package reference

import (
	"bytes"
	"net/http"
)

// durable holds every answer back until what it tells of is on the disk. What cannot be
// saved is answered with 503, and so is everything after it.
func (s *server) durable(next http.Handler) http.Handler {
	kept := s.core.config.State
	if kept == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := &heldAnswer{header: http.Header{}, status: http.StatusOK}
		err := kept.failure()
		if err == nil {
			next.ServeHTTP(held, r)
			err = s.core.Save()
		}
		if err != nil {
			writeJSON(w, http.StatusServiceUnavailable, errorJSON{"broken", err.Error()})
			return
		}
		held.release(w)
	})
}

// heldAnswer is an answer that has not left.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the header fields.
func (h *heldAnswer) Header() http.Header { return h.header }

// WriteHeader sets the status.
func (h *heldAnswer) WriteHeader(status int) { h.status = status }

// Write adds to the body.
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

func (h *heldAnswer) release(w http.ResponseWriter) {
	for name, values := range h.header {
		w.Header()[name] = values
	}
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes()) // whoever asked may have left
}
