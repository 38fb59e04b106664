package hid

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"fido-emu/ctap"
)

var _ ctap.Authenticator = (*Channel)(nil)

// Channel is a host's channel to a device (section 11.2.3). It is a
// ctap.Authenticator. It is safe for concurrent use: one transaction runs after the
// other.
type Channel struct {
	dialer Dialer
	conn   Conn
	info   atomic.Pointer[initReply] // what the device said last

	turn  chan struct{} // holds one token while a transaction runs
	stale bool          // the channel must be resynchronised first; changed by whoever has the turn
	inbox inbox

	patience patience // with the device, of whoever has the turn
}

func newChannel(d Dialer, conn Conn) *Channel {
	d.OpenTimeout = orElse(d.OpenTimeout, DefaultOpenTimeout)
	d.ReplyTimeout = orElse(d.ReplyTimeout, DefaultReplyTimeout)
	d.BusyTimeout = orElse(d.BusyTimeout, DefaultBusyTimeout)
	d.CancelTimeout = orElse(d.CancelTimeout, DefaultCancelTimeout)
	d.Patience = orElse(d.Patience, DefaultPatience)
	c := &Channel{dialer: d, conn: conn, turn: make(chan struct{}, 1)}
	c.inbox.open(conn)
	return c
}

// ID returns the channel identifier.
func (c *Channel) ID() uint32 { return c.info.Load().channel }

// Capabilities returns what the device says that it can do.
func (c *Channel) Capabilities() Capabilities { return c.info.Load().capabilities }

// Version returns the device version: major, minor, build.
func (c *Channel) Version() [3]byte { return c.info.Load().version }

// Protocol returns the version of CTAPHID that the device speaks, which is 2.
func (c *Channel) Protocol() byte { return c.info.Load().protocol }

// Done is closed when the device is gone or the channel was closed.
func (c *Channel) Done() <-chan struct{} { return c.inbox.done }

// Close closes the connection. What runs returns ErrClosed.
func (c *Channel) Close() error { return c.inbox.close() }

// Exchange sends a CTAP2 request by CTAPHID_CBOR (section 11.2.9.1.2) and returns the
// answer. Keepalives are reported through ctap.ReportProgress. A busy device is asked
// again for BusyTimeout.
//
// When ctx ends, CTAPHID_CANCEL is sent and the device's answer, normally
// CTAP2_ERR_KEEPALIVE_CANCEL, is returned as any other. A device that does not
// answer within CancelTimeout is resynchronised, and the error is ctx's.
//
// The error wraps ErrUnplugged, ErrNoReply, ErrEndless or ErrClosed, or is an Error or a
// *ProtocolError.
func (c *Channel) Exchange(ctx context.Context, request []byte) (response []byte, err error) {
	response, err = c.transact(ctx, CBOR, request)
	if err == nil && len(response) == 0 {
		return nil, &ProtocolError{Command: CBOR, What: "no status byte"}
	}
	return response, err
}

// Message sends a U2F APDU by CTAPHID_MSG (section 11.2.9.1.1) and returns data and
// status word.
func (c *Channel) Message(ctx context.Context, apdu []byte) (response []byte, err error) {
	response, err = c.transact(ctx, Msg, apdu)
	if err == nil && len(response) < 2 {
		return nil, &ProtocolError{Command: Msg, What: "no status word"}
	}
	return response, err
}

// Ping sends data by CTAPHID_PING (section 11.2.9.1.4) and returns what came back.
func (c *Channel) Ping(ctx context.Context, data []byte) (echo []byte, err error) {
	return c.transact(ctx, Ping, data)
}

// Wink asks the device to make itself known to its user (section 11.2.9.2.1).
func (c *Channel) Wink(ctx context.Context) error {
	_, err := c.transact(ctx, Wink, nil)
	return err
}

// Lock keeps other channels out for whole seconds, at most ten; 0 lets them in again
// (section 11.2.9.2.2).
func (c *Channel) Lock(ctx context.Context, d time.Duration) error {
	if d < 0 || d > maxLock || d%time.Second != 0 {
		return fmt.Errorf("cannot lock for %v: whole seconds from 0 to 10", d)
	}
	_, err := c.transact(ctx, Lock, []byte{byte(d / time.Second)})
	return err
}

// Send sends any command, such as one of a vendor (section 11.2.9.3), and returns the
// answer.
func (c *Channel) Send(ctx context.Context, command Command, payload []byte) (answer []byte, err error) {
	return c.transact(ctx, command, payload)
}

// Resync ends what the channel has under way (section 11.2.5.3). When the device does
// not know the channel, because it lost power or gave it to another host, a new one
// is opened.
func (c *Channel) Resync(ctx context.Context) error {
	if err := c.take(ctx); err != nil {
		return err
	}
	defer c.release()
	info, err := c.initialise(ctx, c.ID())
	if errors.Is(err, ErrInvalidChannel) {
		info, err = c.initialise(ctx, Broadcast)
	}
	if err != nil {
		return fmt.Errorf("resynchronising the channel: %w", err)
	}
	c.info.Store(&info)
	c.stale = false
	return nil
}

// take waits for the turn.
func (c *Channel) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.inbox.done:
		return c.inbox.ended()
	}
}

func (c *Channel) release() { <-c.turn }

// transact runs one transaction, again while the device is busy.
func (c *Channel) transact(ctx context.Context, command Command, payload []byte) ([]byte, error) {
	if err := c.take(ctx); err != nil {
		return nil, err
	}
	defer c.release()
	if c.stale {
		if err := c.resync(ctx); err != nil {
			return nil, err
		}
	}
	var busy time.Time // since when
	for {
		answer, err := c.once(ctx, Message{Channel: c.ID(), Command: command, Payload: payload})
		if !errors.Is(err, ErrChannelBusy) {
			return answer, err
		}
		if busy.IsZero() {
			busy = time.Now()
		}
		if time.Since(busy) >= c.dialer.BusyTimeout {
			return answer, err
		}
		rest(ctx, busyPause) // when ctx ends the next try tells so
	}
}

// once sends one request and waits for its answer.
func (c *Channel) once(ctx context.Context, request Message) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	a := newAnswer(ctx, request)
	if err := c.inbox.expect(a); err != nil {
		return nil, err
	}
	defer c.inbox.expect(nil)
	work, err := c.writeRequest(request)
	if err != nil {
		return nil, err
	}
	c.patience.begin(c.silence(request.Command), c.dialer.Patience)
	if work != nil {
		c.help(ctx, request, work)
	}
	given := a.wait(ctx, &c.patience, c.inbox.done)
	switch {
	case a.answered():
		return c.received(ctx, a)
	case request.Command == Init && (given != nil || ctx.Err() != nil):
		return nil, c.unopened(ctx, a)
	case given == ErrNoReply:
		return nil, c.recover(ctx, a, fmt.Errorf("%s: %w: nothing for %v", request.Command, given, c.patience.allowed()))
	case given != nil:
		return nil, c.recover(ctx, a, fmt.Errorf("%s: %w", request.Command, given))
	case ctx.Err() != nil:
		return c.cancel(ctx, a)
	}
	return nil, c.inbox.ended()
}

// silence is how long the device may be silent before it answers a command.
func (c *Channel) silence(command Command) time.Duration {
	if command == Init {
		return c.dialer.OpenTimeout
	}
	return c.dialer.ReplyTimeout
}

// unopened tells why CTAPHID_INIT had no answer in time.
func (c *Channel) unopened(ctx context.Context, a *answer) error {
	cause := context.Cause(ctx)
	if cause != nil && !errors.Is(cause, ErrNoReply) {
		return cause
	}
	if refused := c.inbox.refusal(a); refused != nil {
		return refused
	}
	return ErrNoReply
}

// received judges what came: an answer that breaks the rules leaves the channel out of
// step.
func (c *Channel) received(ctx context.Context, a *answer) ([]byte, error) {
	if a.err == nil {
		return a.Payload, nil
	}
	if _, ok := a.err.(Error); ok {
		return nil, a.err
	}
	return nil, c.recover(ctx, a, a.err)
}

// cancel ends a transaction whose caller has given up (section 11.2.9.1.5). Only
// CTAPHID_CBOR can be cancelled; anything else is dropped by resynchronising.
func (c *Channel) cancel(ctx context.Context, a *answer) ([]byte, error) {
	cause := context.Cause(ctx)
	if a.request.Command != CBOR {
		return nil, c.recover(ctx, a, cause)
	}
	if err := c.write(Message{Channel: a.request.Channel, Command: Cancel}); err != nil {
		return nil, err
	}
	t := time.NewTimer(c.dialer.CancelTimeout)
	defer t.Stop()
	select {
	case <-a.ready:
		return c.received(ctx, a)
	case <-c.inbox.done:
		return nil, c.inbox.ended()
	case <-t.C:
		return nil, c.recover(ctx, a, fmt.Errorf("%w, and no answer to CTAPHID_CANCEL within %v", cause, c.dialer.CancelTimeout))
	}
}

// recover resynchronises the channel after err, which it returns. When that fails
// too the next transaction begins with another try.
func (c *Channel) recover(ctx context.Context, a *answer, err error) error {
	if a.request.Command == Init {
		return err
	}
	c.stale = true
	ctx = context.WithoutCancel(ctx)
	if failed := c.resync(ctx); failed != nil {
		return fmt.Errorf("%w (%w)", err, failed)
	}
	return err
}

// resync puts device and host back in step.
func (c *Channel) resync(ctx context.Context) error {
	if _, err := c.initialise(ctx, c.ID()); err != nil {
		return fmt.Errorf("resynchronising the channel: %w", err)
	}
	c.stale = false
	return nil
}

// write sends a message.
func (c *Channel) write(m Message) error {
	_, size := c.conn.Sizes()
	reports, err := m.Reports(size)
	if err != nil {
		return err
	}
	if err := writeAll(c.conn, reports); err != nil {
		return c.inbox.lost(err)
	}
	return nil
}

// writeRequest sends a request. work is what a device in this process leaves to those who
// wait for it, nil for nothing.
func (c *Channel) writeRequest(m Message) (work func(), err error) {
	d, ok := c.conn.(direct)
	if !ok {
		return nil, c.write(m)
	}
	_, size := c.conn.Sizes()
	reports, err := m.Reports(size)
	if err != nil {
		return nil, err
	}
	if work, err = d.writeHelping(reports); err != nil {
		return nil, c.inbox.lost(err)
	}
	return work, nil
}

// help does the work of the device, which ends when ctx does: the device is told to
// cancel then, as by a host that waits.
func (c *Channel) help(ctx context.Context, request Message, work func()) {
	if ctx.Done() == nil {
		work()
		return
	}
	told := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(told)
		// A device that cannot be told is gone, and its work has ended.
		_ = c.write(Message{Channel: request.Channel, Command: Cancel})
	})
	work()
	if !stop() {
		<-told // or the next transaction would be cancelled
	}
}
