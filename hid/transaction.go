package hid

import (
	"context"
	"errors"
	"time"

	"fido-emu/ctap"
)

// transaction is a request that is being answered.
type transaction struct {
	server  *server
	request Message
	cancel  context.CancelFunc

	keepalive *time.Timer   // nil but for CTAPHID_CBOR
	status    ctap.Progress // guarded by the server's mutex
}

// run answers m with what work returns, in a goroutine of its own, so that the host
// is still listened to.
func (s *server) run(m Message, work func(context.Context) ([]byte, error)) {
	ctx, cancel := context.WithCancel(s.ctx)
	t := &transaction{server: s, request: m, cancel: cancel, status: ctap.Processing}
	ctx = ctap.WithChannel(ctx, m.Channel)
	if m.Command == CBOR {
		ctx = ctap.WithProgress(ctx, t.progress)
		t.keepalive = time.AfterFunc(t.interval(), t.keepAlive)
	}
	s.current = t
	s.running.Go(func() {
		payload, err := s.work(ctx, work)
		t.finish(ctx, payload, err)
	})
}

// work waits until the device is free: a transaction that was aborted may still be
// on its way out.
func (s *server) work(ctx context.Context, work func(context.Context) ([]byte, error)) ([]byte, error) {
	select {
	case s.core <- struct{}{}:
		defer func() { <-s.core }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return work(ctx)
}

// finish sends the answer, unless the transaction was aborted.
func (t *transaction) finish(ctx context.Context, payload []byte, err error) {
	s := t.server
	s.mu.Lock()
	defer s.mu.Unlock()
	wasCancelled := ctx.Err() != nil
	t.stop()
	if s.current != t {
		return
	}
	s.current = nil
	if t.request.Command == CBOR && err != nil && wasCancelled {
		payload, err = []byte{byte(ctap.ErrKeepaliveCancel)}, nil
	}
	if t.request.Command == CBOR && err == nil && len(payload) == 0 {
		err = ErrOther
	}
	if err != nil {
		code := ErrOther
		errors.As(err, &code)
		s.fail(t.request.Channel, code)
		return
	}
	s.send(Message{Channel: t.request.Channel, Command: t.request.Command, Payload: payload})
}

// stop ends the work and the keepalives.
func (t *transaction) stop() {
	t.cancel()
	if t.keepalive != nil {
		t.keepalive.Stop()
	}
}

func (t *transaction) interval() time.Duration {
	return orElse(t.server.device.KeepaliveInterval, DefaultKeepaliveInterval)
}

// progress sends a change of status at once. It waits no longer than a WriteReport does.
func (t *transaction) progress(p ctap.Progress) {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	if p != t.status {
		t.status = p
		t.sendStatus()
	}
}

// keepAlive sends the status again when it did not change for an interval.
func (t *transaction) keepAlive() {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	t.sendStatus()
}

// sendStatus is CTAPHID_KEEPALIVE (section 11.2.9.1.7).
func (t *transaction) sendStatus() {
	if t.server.current != t {
		return
	}
	t.server.send(Message{Channel: t.request.Channel, Command: Keepalive, Payload: []byte{byte(t.status)}})
	t.keepalive.Reset(t.interval())
}
