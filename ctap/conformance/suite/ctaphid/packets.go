package ctaphid

import (
	"fmt"

	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// pings is CTAPHID_PING (section 11.2.9.1.4) in every size that packets make a
// difference for.
func pings() []conformance.Case {
	return conformance.Each([]int{0, 1, 56, 57, 58, 116, 117, 1024, 7608, 7609}, func(size int) conformance.Case {
		why := fmt.Sprintf("%d bytes come back as they are", size)
		return wire(fmt.Sprintf("ping.%d", size), "11.2.9.1.4", why, func(r *conformance.Run, w *conformance.Raw) {
			wantPing(r, w, w.NewChannel(), min(size, hid.Capacity(w.Size())))
		})
	})
}

// packets is about the structure of packets (section 11.2.4).
func packets() []conformance.Case {
	const section = "11.2.4"
	return conformance.One(
		wire("packet.answer.short", section, "an answer has the channel of its request, and states its length exactly", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Post(hid.Message{Channel: cid, Command: hid.Ping, Payload: []byte("short")})
			p, ok := w.Packet(moment * 10)
			r.Require(ok && p.Initial, "no answer came")
			conformance.Equal(r, "channel", p.Channel, cid)
			conformance.Equal(r, "BCNT", p.Length, len("short"))
		}),
		wire("packet.answer.long", section, "continuation packets of an answer are numbered from 0, on the channel of the request", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			size := room(w) + 3*(w.Size()-5)
			w.Post(hid.Message{Channel: cid, Command: hid.Ping, Payload: r.Bytes(size)})
			p, ok := w.Packet(moment * 10)
			r.Require(ok && p.Initial && p.Length == size, "no initialisation packet with a BCNT of %d came", size)
			for seq := range byte(3) {
				p, ok = w.Packet(moment * 10)
				r.Require(ok && !p.Initial && p.Channel == cid, "continuation packet %d did not come", seq)
				conformance.Equal(r, "SEQ", p.Seq, seq)
			}
			w.Silence(moment)
		}),
		tooLong("one-more", func(w *conformance.Raw) int { return hid.Capacity(w.Size()) + 1 }),
		tooLong("greatest", func(*conformance.Raw) int { return 0xFFFF }),
		wire("packet.padding", section, "what is behind the message in its packet is ignored", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Begin(cid, hid.Ping, 4, []byte("pingand what was in the buffer before")))
			wantEcho(r, w.Answer(cid), []byte("ping"))
		}),
		wire("packet.padding.continuation", section, "what is behind the message in its last packet is ignored", func(r *conformance.Run, w *conformance.Raw) {
			cid, payload := w.NewChannel(), r.Bytes(room(w)+1)
			w.Write(conformance.Begin(cid, hid.Ping, len(payload), payload[:room(w)]))
			w.Write(conformance.Continue(cid, 0, append(payload[room(w):], "what was in the buffer before"...)))
			wantEcho(r, w.Answer(cid), payload)
		}),
	)
}

// tooLong is about a BCNT that no message can have.
func tooLong(id string, length func(w *conformance.Raw) int) conformance.Case {
	return wire("packet.bcnt."+id, "11.2.4", "a BCNT above what packets can carry, 7609 bytes, is ERR_INVALID_LEN", func(r *conformance.Run, w *conformance.Raw) {
		cid := w.NewChannel()
		w.Write(conformance.Begin(cid, hid.Ping, length(w), r.Bytes(room(w))))
		w.WantError(cid, hid.ErrInvalidLen)
		wantPing(r, w, cid, 8)
	})
}

// sequence is about packets that do not follow (section 11.2.5.4).
func sequence() []conformance.Case {
	const section = "11.2.5.4"
	// wrong begins a message of four packets, sends continuation packets of which the
	// last is wrong, and has the device say so and be free again.
	wrong := func(id, why string, numbers ...byte) conformance.Case {
		return wire("sequence."+id, section, why, func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Begin(cid, hid.Ping, room(w)+3*(w.Size()-5), r.Bytes(room(w))))
			for _, seq := range numbers {
				w.Write(conformance.Continue(cid, seq, r.Bytes(w.Size()-5)))
			}
			w.WantError(cid, hid.ErrInvalidSeq)
			wantPing(r, w, cid, 8)
		})
	}
	return conformance.One(
		wrong("from-one", "continuation packets are numbered from 0", 1),
		wrong("skipped", "a packet that is left out is ERR_INVALID_SEQ", 0, 2),
		wrong("repeated", "a packet that comes twice is ERR_INVALID_SEQ", 0, 0),
		wrong("greatest", "a number far from the one that is due is ERR_INVALID_SEQ", 0, 0x7F),
		wire("sequence.message-within-message", section, "a message that begins within another one of its channel is ERR_INVALID_SEQ", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Begin(cid, hid.Ping, room(w)+10, r.Bytes(room(w))))
			w.Write(conformance.Begin(cid, hid.Ping, 4, []byte("ping")))
			w.WantError(cid, hid.ErrInvalidSeq)
			w.Silence(moment)
			wantPing(r, w, cid, 8)
		}),
		wire("sequence.stray", section, "a continuation packet that belongs to nothing is ignored", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Continue(cid, 0, r.Bytes(20)))
			w.Silence(moment)
			wantPing(r, w, cid, 8)
		}),
		wire("sequence.stray.after", section, "a continuation packet behind the end of a message is ignored", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			wantPing(r, w, cid, room(w)+10)
			w.Write(conformance.Continue(cid, 1, r.Bytes(20)))
			w.Silence(moment)
			wantPing(r, w, cid, 8)
		}),
		wire("sequence.stray.unknown-channel", section, "a continuation packet of a channel that is not allocated is ignored", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Continue(unused(cid), 0, r.Bytes(20)))
			w.Silence(moment)
			wantPing(r, w, cid, 8)
		}),
	)
}

// timeouts is about messages whose rest does not come (section 11.2.5.2).
func timeouts() []conformance.Case {
	const section = "11.2.5.2"
	return conformance.One(
		wire("timeout.told", section, "when the rest of a message does not come, the device says ERR_MSG_TIMEOUT", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Begin(cid, hid.Ping, room(w)+10, r.Bytes(room(w))))
			w.WantError(cid, hid.ErrMsgTimeout)
		}),
		wire("timeout.free", section, "after ERR_MSG_TIMEOUT the device is free, also for another channel", func(r *conformance.Run, w *conformance.Raw) {
			cid, other := w.NewChannel(), w.NewChannel()
			w.Write(conformance.Begin(cid, hid.Ping, room(w)+10, r.Bytes(room(w))))
			w.WantError(cid, hid.ErrMsgTimeout)
			wantPing(r, w, other, 8)
			wantPing(r, w, cid, 8)
		}),
		wire("timeout.late", section, "what comes after ERR_MSG_TIMEOUT is ignored", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			w.Write(conformance.Begin(cid, hid.Ping, room(w)+10, r.Bytes(room(w))))
			w.WantError(cid, hid.ErrMsgTimeout)
			w.Write(conformance.Continue(cid, 0, r.Bytes(10)))
			w.Silence(moment)
			wantPing(r, w, cid, 8)
		}),
	)
}
