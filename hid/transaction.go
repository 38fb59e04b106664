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
	ctx     context.Context
	cancel  context.CancelFunc
	work    func(context.Context) ([]byte, error)

	// Guarded by the server's mutex.
	started   bool
	keepalive *time.Timer // nil but for CTAPHID_CBOR
	status    ctap.Progress
}

// run has m answered with what work returns, by the worker, so that the host is still
// listened to, or by a host that has nothing better to do.
func (s *server) run(m Message, work func(context.Context) ([]byte, error)) {
	ctx, cancel := context.WithCancel(s.ctx)
	t := &transaction{server: s, request: m, cancel: cancel, work: work, status: ctap.Processing}
	t.ctx = ctap.WithChannel(ctx, m.Channel)
	if m.Command == CBOR {
		t.ctx = ctap.WithProgress(t.ctx, t.progress)
		t.keepalive = time.AfterFunc(t.interval(), t.keepAlive)
	}
	s.current, s.waiting = t, t
	if m.Command != CBOR || !s.leave() {
		signal(s.wake)
	}
}

// leave leaves the work to the host, if that is possible.
func (s *server) leave() bool {
	if !s.device.Inline || s.quirks != nil {
		return false
	}
	d, ok := s.conn.(direct)
	return ok && d.leave(s.step)
}

// worker calls the functions of the device. It is one goroutine for all, because a new
// one would have to grow its stack for every signature.
func (s *server) worker() {
	for {
		select {
		case <-s.wake:
		case <-s.ctx.Done():
			return
		}
		s.step()
	}
}

// step does what is to be done at the moment. One does so at a time: a transaction that
// was aborted may go on for a while, and the next one waits.
func (s *server) step() {
	s.working <- struct{}{}
	defer func() { <-s.working }()
	s.mu.Lock()
	t, lostPower := s.waiting, s.lostPower
	s.waiting, s.lostPower = nil, false
	if t != nil {
		t.started = true
	}
	s.mu.Unlock()
	if lostPower && s.device.PowerCycle != nil {
		s.device.PowerCycle()
	}
	if t != nil {
		payload, err := t.work(t.ctx)
		s.mu.Lock()
		t.finish(payload, err)
		s.mu.Unlock()
	}
}

// finish sends the answer, unless the transaction was aborted.
func (t *transaction) finish(payload []byte, err error) {
	s := t.server
	wasCancelled := t.ctx.Err() != nil
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

// keepAlive sends the status at every interval.
func (t *transaction) keepAlive() {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	t.sendStatus()
	if t.server.current == t {
		t.keepalive.Reset(t.interval())
	}
}

// sendStatus is CTAPHID_KEEPALIVE (section 11.2.9.1.7).
func (t *transaction) sendStatus() {
	if t.server.current == t {
		t.server.send(Message{Channel: t.request.Channel, Command: Keepalive, Payload: []byte{byte(t.status)}})
	}
}
