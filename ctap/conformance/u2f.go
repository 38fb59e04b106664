package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"fido-emu/hid"
)

// APDU is a U2F request message (U2F Raw Message Formats 1.2, section 3).
type APDU struct {
	CLA, INS, P1, P2 byte
	Data             []byte
}

// Bytes is the extended length encoding, with Le 0: as much as there is.
func (a APDU) Bytes() []byte {
	b := []byte{a.CLA, a.INS, a.P1, a.P2, 0}
	if len(a.Data) > 0 {
		b = binary.BigEndian.AppendUint16(b, uint16(len(a.Data)))
		b = append(b, a.Data...)
	}
	return append(b, 0, 0)
}

// U2FReply is the answer to an APDU.
type U2FReply struct {
	Data []byte
	SW   uint16    // status word
	Wire hid.Error // code of a CTAPHID_ERROR that came instead; 0 for none

	run    *Run
	number int
}

// SendU2F sends bytes by CTAPHID_MSG, once, whatever the answer is.
func (r *Run) SendU2F(apdu []byte) *U2FReply {
	channel, err := r.bench.open(r.ctx)
	r.Broken(err)
	began := time.Now()
	response, err := channel.Message(r.ctx, apdu)
	x := Exchange{Medium: OverU2F, Request: apdu, Response: response, Took: time.Since(began)}
	if err != nil {
		x.Error = err.Error()
	}
	reply := &U2FReply{run: r, number: r.record(x)}
	if err != nil {
		p := &Reply{asked: "CTAPHID_MSG"}
		r.transportFailed(p, err)
		reply.Wire = p.Wire
		return reply
	}
	end := len(response) - 2
	reply.Data, reply.SW = response[:end], binary.BigEndian.Uint16(response[end:])
	r.asked = r.asked || reply.SW == swTouch
	return reply
}

const (
	swTouch   = 0x6985                 // SW_CONDITIONS_NOT_SATISFIED
	u2fRepeat = 200 * time.Millisecond // how often platforms ask again
	u2fTries  = 150
)

// SendU2FTouched sends an APDU again and again, as platforms do, until it is no longer
// answered that a touch is needed. The plan is Touch.
func (r *Run) SendU2FTouched(apdu APDU) *U2FReply {
	var done func()
	for range u2fTries {
		reply := r.SendU2F(apdu.Bytes())
		if reply.SW != swTouch {
			return reply
		}
		if done == nil {
			done = r.bench.target.Asked()
			defer done()
		}
		r.Broken(r.bench.target.Sleep(r.ctx, u2fRepeat))
	}
	r.Broken(errors.New("nobody touched the authenticator"))
	return nil
}

// Want ends the case as failed unless the status word is one of these.
func (p *U2FReply) Want(words ...uint16) *U2FReply {
	for _, w := range words {
		if p.Wire == 0 && p.SW == w {
			return p
		}
	}
	got := fmt.Sprintf("0x%04X", p.SW)
	if p.Wire != 0 {
		got = "CTAPHID_ERROR " + p.Wire.Error()
	}
	p.run.fail(Failure{Text: "wrong status word", Want: fmt.Sprintf("0x%04X", words), Got: got, Exchange: p.number})
	panic(abort{})
}
