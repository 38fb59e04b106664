package ctaphid

import (
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// half begins a CTAPHID_PING of two packets on a channel; rest sends what is missing
// and checks the echo.
func half(r *conformance.Run, w *conformance.Raw, cid uint32) (rest func()) {
	payload := r.Bytes(room(w) + 10)
	w.Write(conformance.Begin(cid, hid.Ping, len(payload), payload[:room(w)]))
	return func() {
		w.Write(conformance.Continue(cid, 0, payload[room(w):]))
		wantEcho(r, w.Answer(cid), payload)
	}
}

// busy is about other channels while a transaction is under way (section 11.2.5.1).
func busy() []conformance.Case {
	const section = "11.2.5.1"
	return conformance.One(
		wire("busy.message-coming-in", section, "while a message comes in, another channel is told ERR_CHANNEL_BUSY, and the message goes on", func(r *conformance.Run, w *conformance.Raw) {
			one, two := w.NewChannel(), w.NewChannel()
			rest := half(r, w, one)
			w.Post(hid.Message{Channel: two, Command: hid.Ping, Payload: []byte("ping")})
			w.WantError(two, hid.ErrChannelBusy)
			rest()
			wantPing(r, w, two, 8)
		}),
		wire("busy.continuation-of-another", section, "a continuation packet of another channel does not disturb a message that comes in", func(r *conformance.Run, w *conformance.Raw) {
			one, two := w.NewChannel(), w.NewChannel()
			payload := r.Bytes(room(w) + 10)
			w.Write(conformance.Begin(one, hid.Ping, len(payload), payload[:room(w)]))
			w.Write(conformance.Continue(two, 0, r.Bytes(10)))
			w.Write(conformance.Continue(one, 0, payload[room(w):]))
			m, ok := w.Message(3 * time.Second)
			if ok && m.Channel == two {
				wantCode(r, m, two, hid.ErrChannelBusy)
				r.Tolerate("OpenSK tells other channels ERR_CHANNEL_BUSY for any packet", "it answers a continuation packet of another channel")
				m = w.Answer(one)
			}
			r.Require(ok && m.Channel == one, "the message was not answered")
			wantEcho(r, m, payload)
		}),
		blinking("busy.ping", section, "while a request is worked on, another channel is told ERR_CHANNEL_BUSY", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			other := newChannelMeanwhile(r, w, cid)
			w.Post(hid.Message{Channel: other, Command: hid.Ping, Payload: []byte("ping")})
			wantCode(r, afterKeepalives(r, w, cid), other, hid.ErrChannelBusy)
			end(r, w, cid)
			wantPing(r, w, other, 8)
		}),
		blinking("busy.cbor", section, "while a request is worked on, that of another channel is told ERR_CHANNEL_BUSY", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			other := newChannelMeanwhile(r, w, cid)
			w.Post(hid.Message{Channel: other, Command: hid.CBOR, Payload: []byte{byte(ctap.GetInfo)}})
			wantCode(r, afterKeepalives(r, w, cid), other, hid.ErrChannelBusy)
			end(r, w, cid)
			wantCBOR(r, w.Call(other, hid.CBOR, []byte{byte(ctap.GetInfo)}), other, ctap.OK)
		}),
		blinking("busy.same-channel", section, "while a request is worked on, its own channel is told ERR_CHANNEL_BUSY, too", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			w.Post(hid.Message{Channel: cid, Command: hid.Ping, Payload: []byte("ping")})
			wantCode(r, afterKeepalives(r, w, cid), cid, hid.ErrChannelBusy, hid.ErrInvalidSeq)
			end(r, w, cid)
		}),
	)
}

// newChannelMeanwhile gets a channel while a request of another is worked on. A device
// that gives none out then has the request ended, and begun anew.
func newChannelMeanwhile(r *conformance.Run, w *conformance.Raw, cid uint32) uint32 {
	nonce := r.Bytes(nonceSize)
	w.Post(hid.Message{Channel: hid.Broadcast, Command: hid.Init, Payload: nonce})
	m := afterKeepalives(r, w, cid)
	if m.Command == hid.ErrorReply && m.Channel == hid.Broadcast {
		wantCode(r, m, hid.Broadcast, hid.ErrChannelBusy)
		end(r, w, cid)
		other := w.NewChannel()
		w.Post(hid.Message{Channel: cid, Command: hid.CBOR, Payload: blink(r)})
		awaitTouch(r, w, cid)
		return other
	}
	r.Require(m.Command == hid.Init && m.Channel == hid.Broadcast && len(m.Payload) == initSize && string(m.Payload[:nonceSize]) == string(nonce),
		"%s with %x came, where CTAPHID_INIT is due", m.Command, m.Payload)
	return uint32(m.Payload[8])<<24 | uint32(m.Payload[9])<<16 | uint32(m.Payload[10])<<8 | uint32(m.Payload[11])
}

// resynchronisation is about CTAPHID_INIT within a transaction (section 11.2.5.3).
func resynchronisation() []conformance.Case {
	const section = "11.2.5.3"
	return conformance.One(
		wire("resync.message-coming-in", section, "CTAPHID_INIT ends the message that its channel has begun; the rest of that is ignored", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Begin(cid, hid.Ping, room(w)+10, r.Bytes(room(w))))
			id, _ := initialised(r, w, cid)
			conformance.Equal(r, "channel", id, cid)
			w.Write(conformance.Continue(cid, 0, r.Bytes(10)))
			w.Silence(moment)
			wantPing(r, w, cid, 8)
		}),
		wire("resync.no-timeout", section, "a message that CTAPHID_INIT ended does not time out", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Begin(cid, hid.Ping, room(w)+10, r.Bytes(room(w))))
			initialised(r, w, cid)
			w.Silence(3 * time.Second)
		}),
		blinking("resync.request", section, "CTAPHID_INIT ends the request of its channel, without an answer to it", func(r *conformance.Run, w *conformance.Raw, cid uint32) {
			nonce := r.Bytes(nonceSize)
			w.Post(hid.Message{Channel: cid, Command: hid.Init, Payload: nonce})
			m := afterKeepalives(r, w, cid)
			r.Require(m.Command == hid.Init && m.Channel == cid, "%s with %x came, where CTAPHID_INIT is due", m.Command, m.Payload)
			w.Silence(moment)
			wantCBOR(r, w.Call(cid, hid.CBOR, []byte{byte(ctap.GetInfo)}), cid, ctap.OK)
		}),
		wire("resync.of-another", section, "CTAPHID_INIT on the broadcast channel does not end the message of another channel", func(r *conformance.Run, w *conformance.Raw) {
			rest := half(r, w, w.NewChannel())
			m := w.Init(hid.Broadcast, r.Bytes(nonceSize))
			if m.Command == hid.ErrorReply {
				wantCode(r, m, hid.Broadcast, hid.ErrChannelBusy)
				r.Tolerate("OpenSK gives out no channels while a message comes in", "CTAPHID_INIT is ERR_CHANNEL_BUSY")
			}
			rest()
		}),
	)
}
