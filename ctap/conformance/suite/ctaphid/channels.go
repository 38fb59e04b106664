package ctaphid

import (
	"encoding/binary"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// channels is about which channels there are (section 11.2.3).
func channels() []conformance.Case {
	refused := func(id, why string, c hid.Command, payload []byte, channel func(own uint32) uint32, needs ...conformance.Need) conformance.Case {
		return wire("channel."+id, "11.2.3", why, func(_ *conformance.Run, w *conformance.Raw) {
			cid := channel(w.NewChannel())
			w.Post(hid.Message{Channel: cid, Command: c, Payload: payload})
			w.WantError(cid, hid.ErrInvalidChannel)
		}, needs...)
	}
	info := []byte{byte(ctap.GetInfo)}
	zero := func(uint32) uint32 { return 0 }
	broadcast := func(uint32) uint32 { return hid.Broadcast }
	stranger := func(own uint32) uint32 { return unused(own) }
	return conformance.One(
		refused("unknown", "a message on a channel that was not allocated is ERR_INVALID_CHANNEL", hid.Ping, []byte{1}, stranger),
		refused("unknown.cbor", "CTAPHID_CBOR on a channel that was not allocated is ERR_INVALID_CHANNEL", hid.CBOR, info, stranger, conformance.Capability(hid.CapCBOR)),
		refused("zero", "channel 0 is reserved", hid.Ping, []byte{1}, zero),
		refused("zero.cbor", "channel 0 is reserved", hid.CBOR, info, zero, conformance.Capability(hid.CapCBOR)),
		refused("broadcast", "the broadcast channel is for CTAPHID_INIT alone", hid.Ping, []byte{1}, broadcast),
		refused("broadcast.cbor", "the broadcast channel is for CTAPHID_INIT alone", hid.CBOR, info, broadcast, conformance.Capability(hid.CapCBOR)),
		wire("channel.two", "11.2.3", "two channels are served one after the other, each with its own answers", func(r *conformance.Run, w *conformance.Raw) {
			one, two := w.NewChannel(), w.NewChannel()
			for size := range 3 {
				wantPing(r, w, one, 10+60*size)
				wantPing(r, w, two, 20+60*size)
			}
		}),
		wire("channel.several", "11.2.3", "a device serves several channels: the first still answers after seven more", func(r *conformance.Run, w *conformance.Raw) {
			first := w.NewChannel()
			for range 7 {
				w.NewChannel()
			}
			wantPing(r, w, first, 8)
		}),
	)
}

// The layout of the answer to CTAPHID_INIT.
const (
	nonceSize       = 8
	initSize        = 17
	versionAt       = 12
	capabilitiesAt  = 16
	protocolVersion = 2
)

// initialised sends CTAPHID_INIT and checks the form of its answer.
func initialised(r *conformance.Run, w *conformance.Raw, cid uint32) (id uint32, rest []byte) {
	nonce := r.Bytes(nonceSize)
	m := w.Init(cid, nonce)
	r.Require(m.Command == hid.Init, "%s with %x came, where CTAPHID_INIT is due", m.Command, m.Payload)
	conformance.Equal(r, "length of the answer", len(m.Payload), initSize)
	r.Require(string(m.Payload[:nonceSize]) == string(nonce), "the nonce is %x, not %x", m.Payload[:nonceSize], nonce)
	return binary.BigEndian.Uint32(m.Payload[nonceSize:]), m.Payload
}

// initialisation is CTAPHID_INIT (section 11.2.9.1.3).
func initialisation() []conformance.Case {
	const section = "11.2.9.1.3"
	return conformance.Join(conformance.One(
		wire("init.nonce", section, "the nonce comes back, every time", func(r *conformance.Run, w *conformance.Raw) {
			for range 4 {
				initialised(r, w, hid.Broadcast)
			}
		}),
		wire("init.protocol", section, "the version of CTAPHID is 2", func(r *conformance.Run, w *conformance.Raw) {
			_, answer := initialised(r, w, hid.Broadcast)
			conformance.Equal(r, "protocol version", answer[versionAt], protocolVersion)
		}),
		wire("init.distinct", section, "every host gets a channel of its own, which is neither 0 nor the broadcast channel", func(r *conformance.Run, w *conformance.Raw) {
			var all []uint32
			for range 6 {
				id, _ := initialised(r, w, hid.Broadcast)
				r.Require(id != 0 && id != hid.Broadcast, "the channel is 0x%08X", id)
				r.Require(!slices.Contains(all, id), "channel 0x%08X was given out twice", id)
				all = append(all, id)
			}
		}),
		wire("init.usable", section, "the channel that it gives out can be used at once", func(r *conformance.Run, w *conformance.Raw) {
			id, _ := initialised(r, w, hid.Broadcast)
			wantPing(r, w, id, 16)
		}),
		wire("init.allocated", section, "on a channel that is allocated it answers with that channel", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			id, _ := initialised(r, w, cid)
			conformance.Equal(r, "channel", id, cid)
			wantPing(r, w, cid, 8)
		}),
		wire("init.allocated.same-facts", section, "on a channel that is allocated it states the same versions and capabilities", func(r *conformance.Run, w *conformance.Raw) {
			cid, first := initialised(r, w, hid.Broadcast)
			_, again := initialised(r, w, cid)
			conformance.Equal(r, "versions and capabilities", string(again[versionAt:]), string(first[versionAt:]))
		}),
		wire("init.unknown-channel", section, "on a channel that is not allocated it is ERR_INVALID_CHANNEL", func(r *conformance.Run, w *conformance.Raw) {
			cid := unused(w.NewChannel())
			w.Post(hid.Message{Channel: cid, Command: hid.Init, Payload: r.Bytes(nonceSize)})
			w.WantError(cid, hid.ErrInvalidChannel)
		}),
		wire("init.channel-zero", section, "on channel 0 it is ERR_INVALID_CHANNEL", func(r *conformance.Run, w *conformance.Raw) {
			w.Post(hid.Message{Channel: 0, Command: hid.Init, Payload: r.Bytes(nonceSize)})
			w.WantError(0, hid.ErrInvalidChannel)
		}),
	), initLengths())
}

// initLengths is about nonces that are not of eight bytes.
func initLengths() []conformance.Case {
	return conformance.Each([]struct {
		name string
		size int
	}{{"none", 0}, {"short", 7}, {"long", 9}, {"much-too-long", 40}}, func(n struct {
		name string
		size int
	},
	) conformance.Case {
		return wire("init.length."+n.name, "11.2.9.1.3", "a nonce that is not of eight bytes is ERR_INVALID_LEN", func(r *conformance.Run, w *conformance.Raw) {
			for _, cid := range []uint32{hid.Broadcast, w.NewChannel()} {
				w.Post(hid.Message{Channel: cid, Command: hid.Init, Payload: r.Bytes(n.size)})
				w.WantError(cid, hid.ErrInvalidLen)
			}
		})
	})
}

// capabilities is about the flags of CTAPHID_INIT, each of which must be true.
func capabilities() []conformance.Case {
	const section = "11.2.9.1.3"
	// promised checks that a command is there if and only if its flag says so.
	promised := func(id string, c hid.Command, payload []byte, flag func(hid.Capabilities) bool) conformance.Case {
		why := c.String() + " is there if and only if the capabilities say so"
		return wire("capability."+id, section, why, func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			m := w.Call(cid, c, payload)
			if flag(r.Facts().Capabilities) {
				r.Require(m.Command == c, "the capabilities are %s, and it answers %s with %x", r.Facts().Capabilities, m.Command, m.Payload)
				return
			}
			wantCode(r, m, cid, hid.ErrInvalidCmd)
		})
	}
	return conformance.One(
		promised("wink", hid.Wink, nil, func(c hid.Capabilities) bool { return c.Has(hid.CapWink) }),
		promised("cbor", hid.CBOR, []byte{byte(ctap.GetInfo)}, func(c hid.Capabilities) bool { return c.Has(hid.CapCBOR) }),
		promised("msg", hid.Msg, conformance.APDU{INS: 3}.Bytes(), func(c hid.Capabilities) bool { return !c.Has(hid.CapNMsg) }),
		wire("capability.reserved", section, "capability flags that are reserved are 0", func(r *conformance.Run, w *conformance.Raw) {
			_, answer := initialised(r, w, hid.Broadcast)
			rest := hid.Capabilities(answer[capabilitiesAt]) &^ (hid.CapWink | hid.CapCBOR | hid.CapNMsg)
			if rest == 0x02 {
				r.Tolerate("U2F HID of 2014 has the flag LOCK here", "it sets the flag 0x02")
				return
			}
			r.Require(rest == 0, "the flags 0x%02X are set", byte(rest))
		}),
	)
}
