package ctaphid

import (
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// cancel is CTAPHID_CANCEL (section 11.2.9.1.5).
func cancel() []conformance.Case {
	const section = "11.2.9.1.5"
	info := []byte{byte(ctap.GetInfo)}
	return conformance.One(
		blinking("cancel.ends", section, "CTAPHID_CANCEL ends a request with CTAP2_ERR_KEEPALIVE_CANCEL", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			end(r, w, cid)
		}),
		blinking("cancel.not-answered", section, "CTAPHID_CANCEL has no answer of its own", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			end(r, w, cid)
			w.Silence(moment)
		}),
		blinking("cancel.free", section, "after CTAPHID_CANCEL the next request is worked on", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			end(r, w, cid)
			wantCBOR(r, w.Call(cid, hid.CBOR, info), cid, ctap.OK)
		}),
		blinking("cancel.twice", section, "a second CTAPHID_CANCEL is ignored", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			end(r, w, cid)
			w.Post(hid.Message{Channel: cid, Command: hid.Cancel})
			w.Silence(moment)
			wantCBOR(r, w.Call(cid, hid.CBOR, info), cid, ctap.OK)
		}),
		blinking("cancel.of-another", section, "CTAPHID_CANCEL of another channel does not end a request", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			other := newChannelMeanwhile(r, w, cid)
			w.Post(hid.Message{Channel: other, Command: hid.Cancel})
			for range 3 {
				m, ok := w.Message(3 * time.Second)
				r.Require(ok && m.Command == hid.Keepalive && m.Channel == cid, "the request did not go on: %s with %x came", m.Command, m.Payload)
			}
			end(r, w, cid)
		}),
		wire("cancel.nothing", section, "CTAPHID_CANCEL is ignored when there is nothing to cancel", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Post(hid.Message{Channel: cid, Command: hid.Cancel})
			w.Silence(moment)
			wantPing(r, w, cid, 8)
		}, conformance.Capability(hid.CapCBOR)),
		wire("cancel.not-remembered", section, "CTAPHID_CANCEL is no matter for the request that comes after it", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Post(hid.Message{Channel: cid, Command: hid.Cancel})
			wantCBOR(r, w.Call(cid, hid.CBOR, info), cid, ctap.OK)
			wantCBOR(r, w.Call(cid, hid.CBOR, info), cid, ctap.OK)
		}, conformance.Capability(hid.CapCBOR)),
	)
}

// keepalives is CTAPHID_KEEPALIVE (section 11.2.9.1.7).
func keepalives() []conformance.Case {
	const section = "11.2.9.1.7"
	return conformance.One(
		blinking("keepalive.cadence", section, "a keepalive comes every 100 ms while a request is worked on", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			const series, spans, least = 3, 12, 7 // of 250 ms, with room for a computer that is busy
			seen := 0
			for i := 0; i < series && seen < least; i++ {
				seen = keepalivesIn(w, spans)
			}
			r.Require(seen >= least, "in %d of %d times 250 ms no keepalive came", spans-seen, spans)
			end(r, w, cid)
		}),
		blinking("keepalive.touch", section, "while the user is waited for, keepalives say STATUS_UPNEEDED", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			for range 4 {
				m, ok := w.Message(3 * time.Second)
				r.Require(ok && m.Command == hid.Keepalive && m.Channel == cid && len(m.Payload) == 1, "no keepalive came: %s with %x", m.Command, m.Payload)
				conformance.Equal(r, "status", m.Payload[0], byte(ctap.UPNeeded))
			}
			end(r, w, cid)
		}),
		blinking("keepalive.status", section, "a keepalive has one byte, STATUS_PROCESSING or STATUS_UPNEEDED, on the channel of the request", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			for range 4 {
				m, ok := w.Message(3 * time.Second)
				r.Require(ok && m.Command == hid.Keepalive && m.Channel == cid, "no keepalive came: %s with %x", m.Command, m.Payload)
				r.Require(len(m.Payload) == 1 && (m.Payload[0] == 1 || m.Payload[0] == 2), "the keepalive says %x", m.Payload)
			}
			end(r, w, cid)
		}),
		blinking("keepalive.ends", section, "after the answer no keepalive comes", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			end(r, w, cid)
			w.Silence(moment * 2)
		}),
		wire("keepalive.not-for-msg", section, "there are no keepalives for CTAPHID_MSG", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Post(hid.Message{Channel: cid, Command: hid.Msg, Payload: conformance.APDU{INS: 3}.Bytes()})
			m, ok := w.Message(3 * time.Second)
			r.Require(ok && m.Command == hid.Msg, "%s came, where CTAPHID_MSG is due", m.Command)
			w.Silence(moment)
		}, conformance.SpeaksU2F()),
	)
}

// keepalivesIn counts in how many of some spans of 250 ms a keepalive comes.
func keepalivesIn(w *conformance.Raw, spans int) (seen int) {
	for range spans {
		if m, ok := w.Message(250 * time.Millisecond); ok && m.Command == hid.Keepalive {
			seen++
		}
	}
	return seen
}

// lock is CTAPHID_LOCK (sections 11.2.6 and 11.2.9.2.2), which devices may leave out.
func lock() []conformance.Case {
	const held, command = "11.2.6", "11.2.9.2.2"
	return conformance.One(
		locking("others", held, "while a channel holds the lock, others are told ERR_CHANNEL_BUSY, and it is served", func(r *conformance.Run, w *conformance.Raw, cid, other uint32) {
			locked(r, w, cid, 10)
			wantCode(r, w.Call(other, hid.Ping, nil), other, hid.ErrChannelBusy)
			wantPing(r, w, cid, 8)
			wantCode(r, w.Call(other, hid.Ping, nil), other, hid.ErrChannelBusy)
			locked(r, w, cid, 0)
		}),
		locking("released", held, "a lock of 0 seconds releases it", func(r *conformance.Run, w *conformance.Raw, cid, other uint32) {
			locked(r, w, cid, 10)
			locked(r, w, cid, 0)
			wantPing(r, w, other, 8)
		}),
		locking("ends", held, "the lock ends when its time is over", func(r *conformance.Run, w *conformance.Raw, cid, other uint32) {
			locked(r, w, cid, 1)
			wantCode(r, w.Call(other, hid.Ping, nil), other, hid.ErrChannelBusy)
			for range 45 { // CTAPHID's time may be shorter than the seconds of the lock
				w.Silence(moment)
				if m := w.Call(other, hid.Ping, nil); m.Command == hid.Ping {
					return
				}
			}
			r.Fail("a lock of a second did not end")
		}),
		locking("not-taken-over", held, "another channel cannot take the lock over, nor release it", func(r *conformance.Run, w *conformance.Raw, cid, other uint32) {
			locked(r, w, cid, 10)
			for _, seconds := range []byte{10, 0} {
				wantCode(r, w.Call(other, hid.Lock, []byte{seconds}), other, hid.ErrChannelBusy)
			}
			locked(r, w, cid, 0)
		}),
		locking("too-long", command, "a lock of more than 10 seconds is ERR_INVALID_PAR", func(r *conformance.Run, w *conformance.Raw, cid, other uint32) {
			for _, seconds := range []byte{11, 255} {
				wantCode(r, w.Call(cid, hid.Lock, []byte{seconds}), cid, hid.ErrInvalidPar)
			}
			wantPing(r, w, other, 8)
		}),
		locking("length", command, "CTAPHID_LOCK has one byte", func(r *conformance.Run, w *conformance.Raw, cid, _ uint32) {
			for _, payload := range [][]byte{nil, {1, 1}} {
				wantCode(r, w.Call(cid, hid.Lock, payload), cid, hid.ErrInvalidLen)
			}
		}),
	)
}

// locking is a case with two channels of a device that has CTAPHID_LOCK.
func locking(id, section, why string, run func(r *conformance.Run, w *conformance.Raw, cid, other uint32)) conformance.Case {
	return wire("lock."+id, section, why, func(r *conformance.Run, w *conformance.Raw) {
		cid, other := w.NewChannel(), w.NewChannel()
		m := w.Call(cid, hid.Lock, []byte{0})
		if m.Command == hid.ErrorReply && string(m.Payload) == string([]byte{byte(hid.ErrInvalidCmd)}) {
			r.Tolerate("CTAPHID_LOCK is optional (section 11.2.9.2.2)", "it has no CTAPHID_LOCK")
			return
		}
		r.Require(m.Command == hid.Lock && len(m.Payload) == 0, "%s with %x came, where CTAPHID_LOCK is due", m.Command, m.Payload)
		run(r, w, cid, other)
	})
}

// locked has a channel lock the device for some seconds.
func locked(r *conformance.Run, w *conformance.Raw, cid uint32, seconds byte) {
	m := w.Call(cid, hid.Lock, []byte{seconds})
	r.Require(m.Command == hid.Lock && len(m.Payload) == 0, "%s with %x came, where CTAPHID_LOCK is due", m.Command, m.Payload)
}
