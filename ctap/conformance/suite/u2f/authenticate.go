package u2f

import (
	"bytes"
	"fmt"
	"slices"

	"fido-emu/ctap/conformance"
)

// controls is about the control byte (section 5.1).
func controls() []conformance.Case {
	const section = "5.1"
	cases := conformance.One(
		rule("control.check-only.known", section, "check-only says of a key handle of its own SW_CONDITIONS_NOT_SATISFIED, and never signs", conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			for range 3 { // a finger that lies on the key changes nothing
				reply := r.SendU2F(signing(r, checkOnly, c.application, c.handle).Bytes()).Want(swTouch)
				conformance.Equal(r, "bytes before the status word", len(reply.Data), 0)
			}
		}),
		rule("control.check-only.unknown", section, "check-only says of a strange key handle SW_WRONG_DATA", 0, func(r *conformance.Run) {
			r.SendU2F(signing(r, checkOnly, r.Bytes(32), r.Bytes(64)).Bytes()).Want(swData)
		}),
		rule("control.check-only.of-another", section, "check-only says of a key handle of another application SW_WRONG_DATA", conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.SendU2F(signing(r, checkOnly, r.Bytes(32), c.handle).Bytes()).Want(swData)
		}),
		rule("control.dont-enforce", section, "dont-enforce-user-presence-and-sign signs without a touch, and says so", conformance.Touch|conformance.Wait, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.Plan(conformance.Wait)
			apdu := signing(r, dontAsk, c.application, c.handle)
			reply := r.SendU2F(apdu.Bytes())
			if slices.Contains([]uint16{swTouch, swData, swForbid}, reply.SW) {
				r.Tolerate("keys of U2F 1.1, which has no such control byte, refuse it", "it answers 0x%04X", reply.SW)
				return
			}
			c.check(r, apdu, reply.Want(swOK).Data, 0)
		}),
	)
	return conformance.Join(cases, conformance.Each([]byte{0x00, 0x01, 0x04, 0x0B, 0x83, 0xFF}, func(control byte) conformance.Case {
		return rule(fmt.Sprintf("control.unknown.%02x", control), section, "a control byte that there is not signs nothing", conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			reply := r.SendU2FTouched(signing(r, control, c.application, c.handle))
			r.Require(reply.SW != swOK, "it signs")
		})
	}), lengths())
}

// lengths is about data of a wrong length (section 5.1).
func lengths() []conformance.Case {
	wrong := func(id, why string, data func(r *conformance.Run) []byte) conformance.Case {
		return rule("authenticate.length."+id, "5.1", why, 0, func(r *conformance.Run) {
			r.SendU2F(conformance.APDU{INS: authenticate, P1: enforce, Data: data(r)}.Bytes()).Want(swLength)
		})
	}
	return conformance.One(
		wrong("none", "an authentication without data is SW_WRONG_LENGTH", func(*conformance.Run) []byte { return nil }),
		wrong("no-handle-length", "an authentication without the length of the key handle is SW_WRONG_LENGTH", func(r *conformance.Run) []byte { return r.Bytes(64) }),
		wrong("handle-cut", "a key handle shorter than it says is SW_WRONG_LENGTH", func(r *conformance.Run) []byte {
			return slices.Concat(r.Bytes(64), []byte{64}, r.Bytes(63))
		}),
		wrong("handle-long", "a key handle longer than it says is SW_WRONG_LENGTH", func(r *conformance.Run) []byte {
			return slices.Concat(r.Bytes(64), []byte{64}, r.Bytes(65))
		}),
	)
}

// handles is about key handles that are not to be used (section 5.3).
func handles() []conformance.Case {
	bent := func(id, why string, bend func(handle []byte) []byte) conformance.Case {
		return rule("handle."+id, "5.3", why, conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.SendU2FTouched(signing(r, enforce, c.application, bend(bytes.Clone(c.handle)))).Want(swData)
		})
	}
	flipped := func(id string, at func(n int) int) conformance.Case {
		return bent(id, "a key handle that was changed is SW_WRONG_DATA", func(handle []byte) []byte {
			handle[at(len(handle))] ^= 1
			return handle
		})
	}
	return conformance.One(
		rule("handle.of-another-application", "5.3", "a key handle serves the application that it was made for, and no other", conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.SendU2FTouched(signing(r, enforce, r.Bytes(32), c.handle)).Want(swData)
		}),
		rule("handle.of-another-application.in-silence", "5.3", "a key handle of another application does not sign without a touch either", conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.SendU2F(signing(r, dontAsk, r.Bytes(32), c.handle).Bytes()).Want(swData)
		}),
		rule("handle.strange", "5.3", "a key handle of another key is SW_WRONG_DATA", conformance.Touch, func(r *conformance.Run) {
			r.SendU2FTouched(signing(r, enforce, r.Bytes(32), r.Bytes(64))).Want(swData)
		}),
		rule("handle.longest", "5.3", "a strange key handle of 255 bytes is SW_WRONG_DATA", conformance.Touch, func(r *conformance.Run) {
			r.SendU2FTouched(signing(r, enforce, r.Bytes(32), r.Bytes(255))).Want(swData)
		}),
		flipped("first-byte", func(int) int { return 0 }),
		flipped("middle-byte", func(n int) int { return n / 2 }),
		flipped("last-byte", func(n int) int { return n - 1 }),
		bent("cut", "a key handle that was cut is SW_WRONG_DATA", func(handle []byte) []byte { return handle[:len(handle)-1] }),
		bent("empty", "a key handle without a byte is not one", func([]byte) []byte { return nil }),
	)
}

// authentication is about the answer (section 5.4).
func authentication() []conformance.Case {
	const section = "5.4"
	return conformance.One(
		rule("authenticate.without-touch", section, "nothing is signed as with a touch without one", conformance.Touch|conformance.Wait, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.Plan(conformance.Wait)
			for range 3 {
				r.SendU2F(signing(r, enforce, c.application, c.handle).Bytes()).Want(swTouch)
			}
		}),
		rule("authenticate.touch-used-up", "5.2", "a touch serves one authentication", conformance.Touch|conformance.Wait, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			sign(r, c)
			r.Plan(conformance.Wait)
			r.SendU2F(signing(r, enforce, c.application, c.handle).Bytes()).Want(swTouch)
		}),
		rule("authenticate.signature", section, "the answer is a user presence byte of 1, the counter, and a signature over application, both and challenge", conformance.Touch, func(r *conformance.Run) {
			sign(r, enrol(r, r.Bytes(32)))
		}),
		rule("authenticate.several", section, "every key handle signs with its own key, in any order", conformance.Touch, func(r *conformance.Run) {
			one, two := enrol(r, r.Bytes(32)), enrol(r, r.Bytes(32))
			three := enrol(r, one.application)
			for _, c := range []*registered{two, one, three, one} {
				sign(r, c)
			}
		}),
		rule("counter.rises", section, "the counter is greater with every authentication", conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			last := sign(r, c)
			for range 3 {
				next := sign(r, c)
				r.Require(next > last, "the counter is %d after %d", next, last)
				last = next
			}
		}),
		rule("counter.power-cycle", section, "the counter goes on after a power cycle", conformance.Touch|conformance.Replug, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			before := sign(r, c)
			r.PowerCycle()
			after := sign(r, c)
			r.Require(after > before, "the counter is %d after %d", after, before)
		}),
		rule("counter.not-for-check-only", section, "what signs nothing does not disturb what does", conformance.Touch, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			before := sign(r, c)
			r.SendU2F(signing(r, checkOnly, c.application, c.handle).Bytes()).Want(swTouch)
			after := sign(r, c)
			r.Require(after > before, "the counter is %d after %d", after, before)
		}),
	)
}
