// Package ctaphid holds the conformance cases about CTAPHID (section 11.2): channels,
// packets, transactions and commands. They hold for keys that speak U2F alone, too.
package ctaphid

import (
	"bytes"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// Group is the group ctaphid.
func Group() conformance.Group {
	return conformance.Group{Name: "ctaphid", Title: "CTAPHID", Cases: conformance.Join(
		channels(), initialisation(), capabilities(),
		pings(), packets(), sequence(), timeouts(),
		busy(), resynchronisation(),
		commands(), errors(), cancel(), keepalives(), lock(), wink(),
	)}
}

// moment is how long the device has to send what it must not, in CTAPHID's time.
const moment = 300 * time.Millisecond

// wire is a case that needs no user: run has the bare connection.
func wire(id, section, why string, run func(r *conformance.Run, w *conformance.Raw), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "ctaphid." + id, Rule: conformance.OnWire(section), Why: why, Needs: needs,
		Run: func(r *conformance.Run) { run(r, r.Raw()) },
	}
}

// blinking is a case with a CTAPHID_CBOR request under way on the channel cid, for
// which the device waits for its user. What run leaves under way is cancelled.
func blinking(id, section, why string, run func(r *conformance.Run, w *conformance.Raw, cid uint32)) conformance.Case {
	return conformance.Case{
		ID: "ctaphid." + id, Rule: conformance.OnWire(section), Why: why,
		Needs: []conformance.Need{conformance.AnyOf(conformance.AtLeast21(), conformance.CanPIN())},
		Hands: conformance.Touch | conformance.Wait,
		Run: func(r *conformance.Run) {
			request := blink(r)
			r.Plan(conformance.Wait)
			w := r.Raw()
			cid := w.NewChannel()
			w.Post(hid.Message{Channel: cid, Command: hid.CBOR, Payload: request})
			awaitTouch(r, w, cid)
			run(r, w, cid)
		},
	}
}

// blink is a request that has the device ask for its user, whatever its state:
// authenticatorSelection, and before CTAP 2.1 what platforms send in its place
// (section 6.1.2 step 1).
func blink(r *conformance.Run) []byte {
	if conformance.Is21(r.Info()) {
		return []byte{byte(ctap.Selection)}
	}
	m := r.CreateParams().With(8, []byte{}).With(9, r.Protocol().Number())
	return append([]byte{byte(ctap.MakeCredential)}, r.Encode(m)...)
}

// manyKeepalives is how many may come where the answer is due: some four seconds.
const manyKeepalives = 40

// awaitTouch reads keepalives until one says that a touch is awaited.
func awaitTouch(r *conformance.Run, w *conformance.Raw, cid uint32) {
	for range manyKeepalives {
		m, ok := w.Message(3 * time.Second)
		r.Require(ok, "neither an answer nor a keepalive came")
		r.Require(m.Channel == cid && m.Command == hid.Keepalive && len(m.Payload) == 1,
			"%s with %x came on channel 0x%08X, where a keepalive on 0x%08X is due", m.Command, m.Payload, m.Channel, cid)
		if m.Payload[0] == byte(ctap.UPNeeded) {
			return
		}
	}
	r.Fail("no keepalive says STATUS_UPNEEDED")
}

// afterKeepalives waits for the next message that is no keepalive of a channel.
func afterKeepalives(r *conformance.Run, w *conformance.Raw, cid uint32) hid.Message {
	for range manyKeepalives {
		m, ok := w.Message(3 * time.Second)
		r.Require(ok, "nothing came")
		if m.Command != hid.Keepalive || m.Channel != cid {
			return m
		}
	}
	r.Fail("%d keepalives came, and no answer", manyKeepalives)
	return hid.Message{}
}

// end cancels the request of a channel and checks that it ends.
func end(r *conformance.Run, w *conformance.Raw, cid uint32) {
	w.Post(hid.Message{Channel: cid, Command: hid.Cancel})
	wantCBOR(r, afterKeepalives(r, w, cid), cid, ctap.ErrKeepaliveCancel)
}

// wantCBOR checks an answer of CTAPHID_CBOR.
func wantCBOR(r *conformance.Run, m hid.Message, cid uint32, status ctap.Status) {
	r.Require(m.Channel == cid && m.Command == hid.CBOR && len(m.Payload) > 0,
		"%s with %x came on channel 0x%08X, where CTAPHID_CBOR on 0x%08X is due", m.Command, m.Payload, m.Channel, cid)
	conformance.Equal(r, "status", ctap.Status(m.Payload[0]).Error(), status.Error())
}

// wantCode checks that a message is CTAPHID_ERROR with one of the codes.
func wantCode(r *conformance.Run, m hid.Message, cid uint32, codes ...hid.Error) {
	r.Require(m.Channel == cid && m.Command == hid.ErrorReply && len(m.Payload) == 1,
		"%s with %x came on channel 0x%08X, where CTAPHID_ERROR on 0x%08X is due", m.Command, m.Payload, m.Channel, cid)
	r.Require(slices.Contains(codes, hid.Error(m.Payload[0])), "%s came, where %s is due", hid.Error(m.Payload[0]).Error(), codes[0].Error())
}

// wantPing has a CTAPHID_PING answered, which every device that is free can do.
func wantPing(r *conformance.Run, w *conformance.Raw, cid uint32, size int) {
	payload := r.Bytes(size)
	wantEcho(r, w.Call(cid, hid.Ping, payload), payload)
}

func wantEcho(r *conformance.Run, m hid.Message, payload []byte) {
	r.Require(m.Command == hid.Ping, "%s with %x came, where CTAPHID_PING is due", m.Command, m.Payload)
	conformance.Equal(r, "length of the echo", len(m.Payload), len(payload))
	r.Require(bytes.Equal(m.Payload, payload), "the echo is not what was sent")
}

// room is how much of a message its first packet holds.
func room(w *conformance.Raw) int { return w.Size() - 7 }

// unused is a channel that was not allocated.
func unused(allocated ...uint32) uint32 {
	cid := uint32(0x5A5A5A5A)
	for slices.Contains(allocated, cid) {
		cid++
	}
	return cid
}
