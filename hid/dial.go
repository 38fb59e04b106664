package hid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// What a [Dialer] does where its fields are zero.
const (
	DefaultOpenTimeout   = 3 * time.Second
	DefaultReplyTimeout  = 3 * time.Second
	DefaultBusyTimeout   = 5 * time.Second
	DefaultCancelTimeout = time.Second
	DefaultPatience      = 3 * time.Minute
)

// busyPause is how long a host waits before it asks a busy device again.
const busyPause = 100 * time.Millisecond

// Dialer opens channels. Rand is required; durations that are zero stand for the
// default in brackets.
type Dialer struct {
	Rand          io.Reader     // where nonces come from
	OpenTimeout   time.Duration // for CTAPHID_INIT [DefaultOpenTimeout]
	ReplyTimeout  time.Duration // how long a device may be silent within a transaction [DefaultReplyTimeout]
	BusyTimeout   time.Duration // how long a busy device is asked again [DefaultBusyTimeout]
	CancelTimeout time.Duration // for the answer after CTAPHID_CANCEL [DefaultCancelTimeout]
	Patience      time.Duration // for one transaction with keepalives [DefaultPatience]
}

// Dial opens a channel with the defaults of [Dialer]. rand is where nonces come from.
func Dial(ctx context.Context, conn Conn, rand io.Reader) (*Channel, error) {
	return Dialer{Rand: rand}.Dial(ctx, conn)
}

// Dial asks the device on conn for a channel (section 11.2.9.1.3). ctx bounds the
// opening alone. The channel owns conn, which is closed with it, and also when Dial
// fails. The error wraps ErrNoReply when the device did not answer in time,
// ErrUnplugged when it is gone, or is the Error that it answered with.
func (d Dialer) Dial(ctx context.Context, conn Conn) (*Channel, error) {
	c := newChannel(d, conn)
	info, err := c.initialise(ctx, Broadcast)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("opening a channel: %w", err)
	}
	c.info.Store(&info)
	return c, nil
}

// initReply is the answer to CTAPHID_INIT.
type initReply struct {
	channel      uint32
	protocol     byte
	version      [3]byte
	capabilities Capabilities
}

// initialise sends CTAPHID_INIT on a channel. A device that is busy is asked again.
func (c *Channel) initialise(ctx context.Context, channel uint32) (initReply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.dialer.OpenTimeout, ErrNoReply)
	defer cancel()
	for busy := false; ; busy = true {
		payload, err := c.ask(ctx, channel)
		switch {
		case err == nil:
			return parseInitReply(payload)
		case busy && errors.Is(err, ErrNoReply):
			return initReply{}, ErrChannelBusy
		case !errors.Is(err, ErrChannelBusy):
			return initReply{}, err
		}
		rest(ctx, busyPause) // the next try tells why there is none
	}
}

// ask sends CTAPHID_INIT with a nonce of its own.
func (c *Channel) ask(ctx context.Context, channel uint32) ([]byte, error) {
	var nonce [nonceSize]byte
	if _, err := io.ReadFull(c.dialer.Rand, nonce[:]); err != nil {
		return nil, fmt.Errorf("cannot make a nonce: %w", err)
	}
	return c.once(ctx, Message{Channel: channel, Command: Init, Payload: nonce[:]})
}

// parseInitReply reads the answer to CTAPHID_INIT, which later versions may make
// longer. The nonce was compared when the answer was received.
func parseInitReply(b []byte) (initReply, error) {
	if len(b) < initReplySize {
		return initReply{}, &ProtocolError{Command: Init, What: fmt.Sprintf("%d bytes, want %d", len(b), initReplySize)}
	}
	r := initReply{
		channel:  binary.BigEndian.Uint32(b[nonceSize:]),
		protocol: b[12], version: [3]byte(b[13:16]), capabilities: Capabilities(b[16]),
	}
	if r.channel == 0 || r.channel == Broadcast {
		return r, &ProtocolError{Command: Init, What: fmt.Sprintf("channel 0x%08X, which is reserved", r.channel)}
	}
	return r, nil
}

// rest waits for a time, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
