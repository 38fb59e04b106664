package hid

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/ctap"
)

// wire is a host that writes any report it likes and sees every message.
type wire struct {
	t    *testing.T
	conn Conn
}

// onWire runs a test against a device, on a clock that only moves when all wait.
func onWire(t *testing.T, d Device, test func(w *wire)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		device, host := Pipe()
		serve(t, device, d)
		test(&wire{t: t, conn: host})
	})
}

// raw writes a report that begins with b.
func (w *wire) raw(b ...byte) {
	w.t.Helper()
	r := make(Report, ReportSize)
	copy(r, b)
	if err := w.conn.WriteReport(r); err != nil {
		w.t.Fatal(err)
	}
}

// begin writes an initialisation packet with a BCNT of its own; the data is zero.
func (w *wire) begin(channel uint32, c Command, length int) {
	w.t.Helper()
	b := binary.BigEndian.AppendUint32(nil, channel)
	w.raw(append(b, byte(c)|initBit, byte(length>>8), byte(length))...)
}

// more writes a continuation packet of zeros.
func (w *wire) more(channel uint32, seq byte) {
	w.t.Helper()
	w.raw(append(binary.BigEndian.AppendUint32(nil, channel), seq)...)
}

// send writes a message.
func (w *wire) send(channel uint32, c Command, payload ...byte) {
	w.t.Helper()
	reports, err := Message{channel, c, payload}.Reports(ReportSize)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range reports {
		w.raw(r...)
	}
}

// receive reads a message; ok is false when none comes within a time.
func (w *wire) receive(within time.Duration) (m Message, ok bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	var a Assembler
	for {
		r, err := w.conn.ReadReport(ctx)
		if ctx.Err() != nil {
			return m, false
		} else if err != nil {
			w.t.Fatal(err)
		}
		p, _ := ParsePacket(r)
		complete := p.Initial && a.Begin(p)
		if !p.Initial {
			complete, err = a.Continue(p)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		if complete {
			return a.Message, true
		}
	}
}

// want reads a message, which comes before any time passes.
func (w *wire) want(channel uint32, c Command, payload ...byte) {
	w.t.Helper()
	m, ok := w.receive(time.Nanosecond)
	if !ok {
		w.t.Fatalf("nothing came, want %s % x", c, payload)
	}
	if m.Channel != channel || m.Command != c || !bytes.Equal(m.Payload, payload) {
		w.t.Fatalf("got %08x %s % x, want %08x %s % x", m.Channel, m.Command, m.Payload, channel, c, payload)
	}
}

func (w *wire) wantError(channel uint32, code Error) {
	w.t.Helper()
	w.want(channel, ErrorReply, byte(code))
}

// quiet sees to it that nothing comes for a time.
func (w *wire) quiet(d time.Duration) {
	w.t.Helper()
	if m, ok := w.receive(d); ok {
		w.t.Fatalf("got %s % x, want nothing", m.Command, m.Payload)
	}
}

var nonce = []byte{1, 2, 3, 4, 5, 6, 7, 8}

// open allocates a channel.
func (w *wire) open() uint32 {
	w.t.Helper()
	w.send(Broadcast, Init, nonce...)
	m, ok := w.receive(time.Nanosecond)
	if !ok || m.Command != Init || m.Channel != Broadcast || len(m.Payload) != initReplySize {
		w.t.Fatalf("the answer to CTAPHID_INIT is %+v", m)
	}
	return binary.BigEndian.Uint32(m.Payload[nonceSize:])
}

// resync sends CTAPHID_INIT on a channel, and wants its answer.
func (w *wire) resync(channel uint32) {
	w.t.Helper()
	w.send(channel, Init, nonce...)
	m, ok := w.receive(time.Nanosecond)
	if !ok || m.Command != Init || m.Channel != channel || !bytes.Equal(m.Payload[:nonceSize], nonce) ||
		binary.BigEndian.Uint32(m.Payload[nonceSize:]) != channel {
		w.t.Fatalf("the answer to CTAPHID_INIT is %+v", m)
	}
}

// busy is a device that waits for a user who never comes, and has all commands.
func busy() Device {
	return Device{
		Authenticator: waitForUser,
		Message:       func(_ context.Context, apdu []byte) []byte { return append(apdu, 0x90, 0) },
		Wink:          func() {},
		Vendor: func(_ context.Context, c Command, payload []byte) ([]byte, error) {
			if len(payload) == 0 {
				return nil, ErrLockRequired
			}
			return append([]byte{byte(c)}, payload...), nil
		},
		Version: [3]byte{5, 7, 1},
	}
}

// keptWaiting sends a request to a busy device and sees it begin.
func (w *wire) keptWaiting(channel uint32) {
	w.t.Helper()
	w.send(channel, CBOR, byte(ctap.Selection))
	w.want(channel, Keepalive, byte(ctap.UPNeeded))
}
