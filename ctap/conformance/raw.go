package conformance

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"fido-emu/hid"
)

// Raw is CTAPHID by hand (section 11.2), for the cases that are about reports and
// packets. While it is open the case sends nothing by [Run.Send].
type Raw struct {
	run  *Run
	conn hid.Conn
}

// answerTime is how long a device may take to answer what needs no user.
const answerTime = 3 * time.Second

// Raw closes the case's channel and opens the bare connection. It is closed when the
// case ends, or by [Raw.Close].
func (r *Run) Raw() *Raw {
	if r.raw == nil {
		r.Broken(r.bench.hangUp())
		conn, err := r.bench.target.Connect(r.ctx)
		r.Broken(err)
		r.raw = &Raw{run: r, conn: conn}
	}
	return r.raw
}

// Close goes back to requests by [Run.Send].
func (w *Raw) Close() {
	if w.run.raw == w {
		w.run.raw = nil
		w.run.Broken(w.conn.Close())
	}
}

// Size returns the length in bytes of the reports that the authenticator reads.
func (w *Raw) Size() int {
	_, size := w.conn.Sizes()
	return size
}

// Write sends one report: bytes filled up with zeros to the size of a report.
func (w *Raw) Write(b []byte) {
	report := make(hid.Report, w.Size())
	copy(report, b)
	w.run.record(Exchange{Medium: OverReport, Request: Hex(report)})
	w.sent(w.conn.WriteReport(report))
}

// Post sends a message in as many packets as it takes.
func (w *Raw) Post(m hid.Message) {
	reports, err := m.Reports(w.Size())
	w.run.Broken(err)
	for _, r := range reports {
		w.run.record(Exchange{Medium: OverReport, Request: Hex(r)})
		w.sent(w.conn.WriteReport(r))
	}
}

func (w *Raw) sent(err error) {
	if err != nil {
		w.run.bench.lost = true
		w.run.Broken(fmt.Errorf("writing a report: %w", err))
	}
}

// Begin is an initialisation packet (section 11.2.4): length is BCNT, whatever data
// is.
func Begin(channel uint32, c hid.Command, length int, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, channel)
	b = append(b, byte(c)|0x80, byte(length>>8), byte(length))
	return append(b, data...)
}

// Continue is a continuation packet.
func Continue(channel uint32, seq byte, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, channel)
	return append(append(b, seq), data...)
}

// Packet waits for the next packet, for d of CTAPHID's time; ok is false when none
// came.
func (w *Raw) Packet(d time.Duration) (p hid.Packet, ok bool) {
	ctx, cancel := context.WithTimeout(w.run.ctx, w.real(d))
	defer cancel()
	report, err := w.conn.ReadReport(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil && w.run.ctx.Err() == nil && !errors.Is(err, hid.ErrUnplugged):
		return p, false
	default:
		w.run.bench.lost = true
		w.run.Broken(fmt.Errorf("reading a report: %w", err))
	}
	w.run.record(Exchange{Medium: OverReport, Response: Hex(report)})
	p, ok = hid.ParsePacket(report)
	w.run.Require(ok, "a report of %d bytes is no packet", len(report))
	return p, true
}

// dueTime is the least real time that what is due is waited for: an emulated device,
// whose time is shorter, may be on a computer that is busy.
const dueTime = time.Second

// real is the real time that d of CTAPHID's time is worth. Whoever waits for answerTime
// or longer waits for what is due.
func (w *Raw) real(d time.Duration) time.Duration {
	scaled := w.run.bench.target.WireTime(d)
	if d >= answerTime {
		return max(scaled, dueTime)
	}
	return scaled
}

// Message waits for the next whole message of any channel, keepalives included, for d
// of CTAPHID's time; ok is false when none began.
func (w *Raw) Message(d time.Duration) (m hid.Message, ok bool) {
	p, ok := w.Packet(d)
	if !ok {
		return m, false
	}
	w.run.Require(p.Initial, "a continuation packet came where a message should begin")
	var a hid.Assembler
	for complete := a.Begin(p); !complete; {
		p, ok = w.Packet(answerTime)
		w.run.Require(ok && !p.Initial && p.Channel == a.Channel, "the rest of %s did not come", a.Command)
		var err error
		complete, err = a.Continue(p)
		w.run.Require(err == nil, "%s: packet %d came where another was due", a.Command, p.Seq)
	}
	return a.Message, true
}

// Answer waits for the answer on a channel, past keepalives, while whoever is in front
// of the authenticator does what is planned. The case fails when none comes.
func (w *Raw) Answer(channel uint32) hid.Message {
	for done := (func())(nil); ; {
		m, ok := w.Message(answerTime)
		w.run.Require(ok, "no answer on channel 0x%08X within %v", channel, answerTime)
		if m.Command == hid.Keepalive && m.Channel == channel {
			if done == nil && len(m.Payload) == 1 && m.Payload[0] == 2 {
				w.run.asked = true
				done = w.run.bench.target.Asked()
				defer done()
			}
			continue
		}
		w.run.Require(m.Channel == channel, "%s came on channel 0x%08X, where 0x%08X was awaited", m.Command, m.Channel, channel)
		return m
	}
}

// Call posts a message and waits for its answer.
func (w *Raw) Call(channel uint32, c hid.Command, payload []byte) hid.Message {
	w.Post(hid.Message{Channel: channel, Command: c, Payload: payload})
	return w.Answer(channel)
}

// WantError waits for CTAPHID_ERROR with one of the codes on a channel.
func (w *Raw) WantError(channel uint32, codes ...hid.Error) {
	m := w.Answer(channel)
	w.run.Require(m.Command == hid.ErrorReply && len(m.Payload) == 1, "%s came where CTAPHID_ERROR was due", m.Command)
	for _, c := range codes {
		if hid.Error(m.Payload[0]) == c {
			return
		}
	}
	w.run.fail(Failure{Text: "wrong CTAPHID_ERROR", Want: codes[0].Error(), Got: hid.Error(m.Payload[0]).Error(), Exchange: len(w.run.exchanges)})
	panic(abort{})
}

// Silence ends the case as failed if anything comes within d of CTAPHID's time.
func (w *Raw) Silence(d time.Duration) {
	if p, ok := w.Packet(d); ok {
		w.run.Fail("a packet came on channel 0x%08X where nothing was due", p.Channel)
	}
}

// Init sends CTAPHID_INIT on a channel with a nonce and returns the answer's payload,
// which is compared with nothing.
func (w *Raw) Init(channel uint32, nonce []byte) hid.Message {
	return w.Call(channel, hid.Init, nonce)
}

// NewChannel asks for a channel of its own.
func (w *Raw) NewChannel() uint32 {
	nonce := w.run.Bytes(8)
	m := w.Init(hid.Broadcast, nonce)
	w.run.Require(m.Command == hid.Init && len(m.Payload) >= 17 && string(m.Payload[:8]) == string(nonce),
		"CTAPHID_INIT was answered by %s with %x", m.Command, m.Payload)
	return binary.BigEndian.Uint32(m.Payload[8:])
}
