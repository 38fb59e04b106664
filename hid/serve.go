package hid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"fido-emu/ctap"
)

// What a [Device] does where its fields are zero.
const (
	DefaultChannels          = 64                     // at least eight are usual
	DefaultPacketTimeout     = 500 * time.Millisecond // section 11.2.5.2 leaves it open
	DefaultKeepaliveInterval = 100 * time.Millisecond // section 11.2.9.1.7
)

// Device is what stands behind the device's side of CTAPHID. The capability flags
// follow from which members are there. Only one of its functions runs at a time.
type Device struct {
	// Authenticator answers CTAPHID_CBOR; nil for a device that speaks U2F alone. Its
	// context carries the channel (ctap.WithChannel) and turns its reports of progress
	// (ctap.WithProgress) into keepalives.
	Authenticator ctap.Authenticator
	// Message answers CTAPHID_MSG: an APDU in, data and status word out; nil for a
	// device without U2F. It must not wait for the user.
	Message func(ctx context.Context, apdu []byte) []byte
	// Wink makes the device known to its user; nil for a device that cannot.
	Wink func()
	// Vendor answers the commands from 0x40 to 0x7F; nil when there are none. An error
	// that is an Error is the code of the answer, any other becomes ErrOther.
	Vendor func(ctx context.Context, c Command, payload []byte) ([]byte, error)
	// PowerCycle is told when the power was cut for a moment; may be nil.
	PowerCycle func()

	Version [3]byte // device version: major, minor, build
	NoLock  bool    // CTAPHID_LOCK, which is optional, is left out

	Rand              io.Reader     // where the first channel identifier comes from; nil for 1
	Channels          int           // how many are allocated at most [DefaultChannels]
	PacketTimeout     time.Duration // between two packets of a request [DefaultPacketTimeout]
	KeepaliveInterval time.Duration // [DefaultKeepaliveInterval]

	// Inline has requests of CTAPHID_CBOR answered by the goroutine that waits for the
	// answer, where that is on the other end of a [Pipe]: waking another one takes longer
	// than all of CTAPHID. The Authenticator then must return soon after its context has
	// ended, because until it does so the host keeps no time limit. Not for devices with
	// Quirks.
	Inline bool

	Quirks []string // ways in which it breaks the rules of CTAPHID, by name: see Quirks
}

func (d *Device) capabilities() Capabilities {
	var c Capabilities
	if d.Wink != nil {
		c |= CapWink
	}
	if d.Authenticator != nil {
		c |= CapCBOR
	}
	if d.Message == nil {
		c |= CapNMsg
	}
	return c
}

// minReport is the shortest report that CTAPHID_INIT and its answer fit into.
const minReport = initHeader + initReplySize

// Serve is a device on conn until ctx ends or the host is gone, and then closes
// conn; nothing it started runs on when it returns. The error is never nil: ctx's, or
// one that wraps ErrUnplugged or what conn reported.
//
// One transaction runs at a time (section 11.2.5.1); what comes in meanwhile is
// still read and answered: CTAPHID_CANCEL, CTAPHID_INIT, and ERR_CHANNEL_BUSY for
// all else.
func Serve(ctx context.Context, conn Conn, d Device) error {
	defer conn.Close()
	s, err := newServer(conn, d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctap.WithTransport(ctx, "usb"))
	s.ctx, s.cancel = ctx, cancel
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	s.running.Go(s.worker)
	err = s.read()
	s.cancel(err)
	stop()
	s.shutDown()
	conn.Close()
	s.running.Wait()
	s.working <- struct{}{} // a host may be doing the work
	return context.Cause(ctx)
}

// server is the device's side of one connection.
type server struct {
	conn    Conn
	device  Device
	quirks  quirks
	ctx     context.Context
	cancel  context.CancelCauseFunc
	running sync.WaitGroup
	wake    chan struct{} // holds a token when there is something for the worker

	readSize, writeSize int

	working chan struct{} // holds a token while somebody calls the functions of the device

	mu       sync.Mutex // guards what follows, and conn's writing side
	channels channels
	lock     lock
	message  Assembler // the request that is coming in
	overdue  *time.Timer
	current  *transaction // the request that is being answered; nil when there is none
	waiting  *transaction // the same while the worker has not begun with it

	lostPower bool // the worker is to tell the device
}

func newServer(conn Conn, d Device) (*server, error) {
	has, err := adoptQuirks(&d)
	if err != nil {
		return nil, err
	}
	s := &server{conn: conn, device: d, quirks: has, wake: make(chan struct{}, 1), working: make(chan struct{}, 1)}
	s.readSize, s.writeSize = conn.Sizes()
	if s.readSize < minReport || s.writeSize < minReport {
		return nil, fmt.Errorf("reports of %d and %d bytes are too short: CTAPHID needs %d", s.readSize, s.writeSize, minReport)
	}
	s.channels = channels{limit: orElse(d.Channels, DefaultChannels), next: 1}
	if d.Rand != nil {
		var b [4]byte
		if _, err := io.ReadFull(d.Rand, b[:]); err != nil {
			return nil, fmt.Errorf("cannot choose a first channel: %w", err)
		}
		s.channels.next = binary.BigEndian.Uint32(b[:])
	}
	return s, nil
}

// orElse returns v, or instead when v is zero.
func orElse[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}

// read handles what the host sends until that ends.
func (s *server) read() error {
	for {
		err := receive(s.ctx, s.conn, s.handle)
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		if !errors.Is(err, ErrPowerCycle) {
			return gone(err)
		}
		s.powerCycle()
	}
}

// shutDown stops what runs.
func (s *server) shutDown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abort()
}

// powerCycle loses all that a device without power loses.
func (s *server) powerCycle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abort()
	s.channels.ids, s.lock = nil, lock{}
	s.lostPower = true
	signal(s.wake)
}

// abort drops the transaction, whatever its stage (section 11.2.5.3).
func (s *server) abort() {
	s.dropMessage()
	if s.current != nil {
		s.current.stop()
		s.current, s.waiting = nil, nil
	}
}

// dropMessage forgets the request that is coming in.
func (s *server) dropMessage() {
	s.message.Drop()
	if s.overdue != nil {
		s.overdue.Stop()
		s.overdue = nil
	}
}

// send writes a message, or what the quirks make of it.
func (s *server) send(m Message) {
	if s.quirks == nil {
		s.write(m)
		return
	}
	for _, m := range s.quirks.answers(s, m) {
		s.write(m)
	}
}

// write writes a message. One longer than reports can carry becomes ErrOther.
func (s *server) write(m Message) {
	reports, err := m.Reports(s.writeSize)
	if err != nil {
		s.fail(m.Channel, ErrOther)
		return
	}
	s.quirks.spoil(m, reports)
	if err := writeAll(s.conn, reports); err != nil {
		s.cancel(gone(err))
	}
}

// fail answers with an error.
func (s *server) fail(channel uint32, code Error) {
	s.send(Message{Channel: channel, Command: ErrorReply, Payload: []byte{byte(code)}})
}
