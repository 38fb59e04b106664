package hid

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"fido-emu/ctap"
)

// inbox reads everything that comes from a device, so that nothing stale waits in the
// connection, and keeps what belongs to the answer that is expected. All else is
// thrown away: other channels' traffic, and answers that nobody waits for any more.
type inbox struct {
	conn Conn
	stop context.CancelCauseFunc
	done chan struct{} // closed when reading has ended
	err  error         // why; set before done is closed

	mu       sync.Mutex
	expected *answer
}

func (b *inbox) open(conn Conn) {
	ctx, stop := context.WithCancelCause(context.Background())
	b.conn, b.stop, b.done = conn, stop, make(chan struct{})
	go func() {
		defer close(b.done)
		b.err = b.read(ctx)
	}()
}

func (b *inbox) read(ctx context.Context) error {
	err := receive(ctx, b.conn, b.sort)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return gone(err)
}

// close stops reading and closes the connection.
func (b *inbox) close() error {
	b.stop(ErrClosed)
	err := b.conn.Close()
	<-b.done
	return err
}

// ended returns why reading ended. Call it only when done is closed.
func (b *inbox) ended() error { return b.err }

// lost makes an error of writing that of the channel.
func (b *inbox) lost(err error) error {
	select {
	case <-b.done:
		return b.err
	default:
		return gone(err)
	}
}

// expect makes a the answer that reports belong to; nil for none.
func (b *inbox) expect(a *answer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = a
	select {
	case <-b.done:
		return b.err
	default:
		return nil
	}
}

// refusal returns what CTAPHID_INIT was perhaps answered with, or nil.
func (b *inbox) refusal(a *answer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return a.refused
}

// sort gives a report to the answer that is expected.
func (b *inbox) sort(r Report) {
	p, ok := ParsePacket(r)
	if !ok {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.expected; a != nil && p.Channel == a.request.Channel && a.add(p, len(r)) {
		b.expected = nil
		close(a.ready)
	}
}

// answer is what comes back to a request. Its fields may be read once ready is closed.
type answer struct {
	Assembler
	err error

	refused error // what CTAPHID_INIT was perhaps answered with; guarded by the inbox
	request Message
	ctx     context.Context // for ctap.ReportProgress
	ready   chan struct{}
	packets atomic.Uint32 // how many came
}

func newAnswer(ctx context.Context, request Message) *answer {
	return &answer{ctx: ctx, request: request, ready: make(chan struct{})}
}

// add takes a packet and tells whether that ends the wait.
func (a *answer) add(p Packet, size int) (ended bool) {
	a.packets.Add(1)
	switch {
	case a.request.Command == Init:
		return a.initialises(p)
	case !p.Initial && !a.Pending():
		return false // the rest of something whose beginning was thrown away
	case !p.Initial:
		return a.goesOn(p)
	case p.Command == Keepalive:
		a.keepalive(p)
		return false
	case a.Pending():
		return a.breaks("a new message, %s, within another", p.Command)
	case p.Length > Capacity(size):
		return a.breaks("a message of %d bytes, at most %d are possible", p.Length, Capacity(size))
	}
	return a.Begin(p) && a.complete()
}

// initialises takes what may be the answer to CTAPHID_INIT, which is one packet. What is
// stale or meant for another host is thrown away. An error may be stale too, and only
// two say something about CTAPHID_INIT for sure; any other counts if nothing else comes.
func (a *answer) initialises(p Packet) (ended bool) {
	if !p.Initial {
		return false
	}
	payload := p.Data[:min(p.Length, len(p.Data))]
	switch p.Command {
	case Init:
		a.Payload = payload
		return bytes.HasPrefix(payload, a.request.Payload)
	case ErrorReply:
		a.refused = a.code(payload)
		if a.refused == ErrChannelBusy || a.refused == ErrInvalidChannel && p.Channel != Broadcast {
			a.err = a.refused
			return true
		}
	}
	return false
}

// goesOn takes a continuation packet.
func (a *answer) goesOn(p Packet) (ended bool) {
	complete, err := a.Continue(p)
	if err != nil {
		return a.breaks("packet %d came where another was due", p.Seq)
	}
	return complete && a.complete()
}

// complete judges a message that is all there.
func (a *answer) complete() (ended bool) {
	switch a.Command {
	case a.request.Command:
	case ErrorReply:
		a.err = a.code(a.Payload)
	default:
		a.breaks("it is %s", a.Command)
	}
	return true
}

// keepalive takes a CTAPHID_KEEPALIVE, which may also come within a message.
func (a *answer) keepalive(p Packet) {
	if a.request.Command == CBOR && p.Length == 1 {
		ctap.ReportProgress(a.ctx, ctap.Progress(p.Data[0]))
	}
}

// code returns the error that a CTAPHID_ERROR says.
func (a *answer) code(payload []byte) error {
	if len(payload) == 0 {
		return &ProtocolError{Command: a.request.Command, What: "CTAPHID_ERROR without a code"}
	}
	return Error(payload[0])
}

// breaks ends the wait with a ProtocolError.
func (a *answer) breaks(format string, args ...any) (ended bool) {
	a.err = &ProtocolError{Command: a.request.Command, What: fmt.Sprintf(format, args...)}
	return true
}

// wait waits for the answer, for ctx or the connection to end, or until there is nothing
// more to wait for. The error is nil, ErrNoReply or ErrEndless.
func (a *answer) wait(ctx context.Context, p *patience, gone <-chan struct{}) error {
	for {
		select {
		case <-a.ready:
			return nil
		case <-gone:
			return nil
		case <-ctx.Done():
			return nil
		case <-p.timer.C:
			if err := p.look(a.packets.Load()); err != nil {
				return err
			}
		}
	}
}

// answered tells whether the wait is over.
func (a *answer) answered() bool {
	select {
	case <-a.ready:
		return true
	default:
		return false
	}
}
