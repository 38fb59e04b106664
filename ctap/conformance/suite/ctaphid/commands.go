package ctaphid

import (
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// commands is about commands that there are not, and what the others carry (section
// 11.2.9).
func commands() []conformance.Case {
	unknown := conformance.Each([]hid.Command{0x00, 0x02, 0x05, 0x07, 0x09, 0x12, 0x20, hid.Keepalive, hid.ErrorReply}, func(c hid.Command) conformance.Case {
		return wire(fmt.Sprintf("command.unknown.%02x", byte(c)), "11.2.9", "a command that devices have not is ERR_INVALID_CMD", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			wantCode(r, w.Call(cid, c, []byte{1}), cid, hid.ErrInvalidCmd)
			wantPing(r, w, cid, 8)
		})
	})
	return conformance.Join(unknown, conformance.One(
		wire("cbor.empty", "11.2.9.1.2", "CTAPHID_CBOR without a byte is ERR_INVALID_LEN", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			wantCode(r, w.Call(cid, hid.CBOR, nil), cid, hid.ErrInvalidLen)
		}, conformance.Capability(hid.CapCBOR)),
		wire("cbor.answer", "11.2.9.1.2", "CTAPHID_CBOR is answered by CTAPHID_CBOR, with a status and CBOR", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			m := w.Call(cid, hid.CBOR, []byte{byte(ctap.GetInfo)})
			wantCBOR(r, m, cid, ctap.OK)
			r.Require(len(m.Payload) > 1, "nothing follows the status")
		}, conformance.Capability(hid.CapCBOR)),
		wire("cbor.refused", "11.2.9.1.2", "a CTAP2 error is a status in CTAPHID_CBOR and no CTAPHID_ERROR", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			m := w.Call(cid, hid.CBOR, []byte{byte(ctap.GetNextAssertion)})
			wantCBOR(r, m, cid, ctap.ErrNotAllowed)
			conformance.Equal(r, "length of the answer", len(m.Payload), 1)
		}, conformance.Capability(hid.CapCBOR)),
		wire("msg.empty", "11.2.9.1.1", "CTAPHID_MSG without a byte is ERR_INVALID_LEN", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			m := w.Call(cid, hid.Msg, nil)
			if m.Command == hid.Msg && string(m.Payload) == "\x67\x00" {
				r.Tolerate("some keys leave it to U2F", "it answers SW_WRONG_LENGTH")
				return
			}
			wantCode(r, m, cid, hid.ErrInvalidLen)
		}, conformance.SpeaksU2F()),
		wire("msg.answer", "11.2.9.1.1", "CTAPHID_MSG is answered by CTAPHID_MSG, with a status word", func(r *conformance.Run, w *conformance.Raw) {
			m := w.Call(w.NewChannel(), hid.Msg, conformance.APDU{INS: 3}.Bytes())
			r.Require(m.Command == hid.Msg && string(m.Payload) == "U2F_V2\x90\x00", "%s with %x came", m.Command, m.Payload)
		}, conformance.SpeaksU2F()),
	))
}

// errors is about CTAPHID_ERROR (section 11.2.9.1.6).
func errors() []conformance.Case {
	const section = "11.2.9.1.6"
	code := func(id, why string, want hid.Error, send func(w *conformance.Raw, own uint32) (cid uint32)) conformance.Case {
		return wire("error."+id, section, why, func(r *conformance.Run, w *conformance.Raw) {
			cid := send(w, w.NewChannel())
			wantCode(r, w.Answer(cid), cid, want)
		})
	}
	post := func(w *conformance.Raw, cid uint32, c hid.Command, payload []byte) uint32 {
		w.Post(hid.Message{Channel: cid, Command: c, Payload: payload})
		return cid
	}
	return conformance.One(
		code("command", "a command that is not there is one byte, ERR_INVALID_CMD", hid.ErrInvalidCmd,
			func(w *conformance.Raw, own uint32) uint32 { return post(w, own, 0x02, nil) }),
		code("channel", "a channel that is not allocated is one byte, ERR_INVALID_CHANNEL", hid.ErrInvalidChannel,
			func(w *conformance.Raw, own uint32) uint32 { return post(w, unused(own), hid.Ping, nil) }),
		code("length", "a wrong length is one byte, ERR_INVALID_LEN", hid.ErrInvalidLen,
			func(w *conformance.Raw, own uint32) uint32 { return post(w, own, hid.Init, []byte{1}) }),
		wire("error.free", section, "after an error the device is free", func(r *conformance.Run, w *conformance.Raw) {
			cid, other := w.NewChannel(), w.NewChannel()
			wantCode(r, w.Call(cid, 0x02, nil), cid, hid.ErrInvalidCmd)
			wantPing(r, w, other, 8)
			wantPing(r, w, cid, 8)
		}),
	)
}

// wink is CTAPHID_WINK (section 11.2.9.2.1).
func wink() []conformance.Case {
	return conformance.One(
		wire("wink.answer", "11.2.9.2.1", "CTAPHID_WINK is answered by CTAPHID_WINK without a byte", func(r *conformance.Run, w *conformance.Raw) {
			m := w.Call(w.NewChannel(), hid.Wink, nil)
			r.Require(m.Command == hid.Wink && len(m.Payload) == 0, "%s with %x came", m.Command, m.Payload)
		}, conformance.Capability(hid.CapWink)),
		wire("wink.payload", "11.2.9.2.1", "CTAPHID_WINK with a payload is ERR_INVALID_LEN", func(r *conformance.Run, w *conformance.Raw) {
			cid := w.NewChannel()
			wantCode(r, w.Call(cid, hid.Wink, []byte{1}), cid, hid.ErrInvalidLen)
		}, conformance.Capability(hid.CapWink)),
	)
}
