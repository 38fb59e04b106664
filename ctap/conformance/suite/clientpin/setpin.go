package clientpin

import (
	"bytes"
	"strings"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

const setSection = "6.5.5.5"

// set is a case of setPIN with each protocol, where no PIN is set.
func set(id, why string, run func(r *conformance.Run, p pinuv.Protocol)) []conformance.Case {
	return conformance.BothProtocols(conformance.Case{
		ID: "clientpin.setPIN." + id, Rule: conformance.Since20(setSection), Start: conformance.Blank, Destructive: true,
		Needs: ceremoniesByPIN, Why: why,
	}, run)
}

// unset checks that no PIN was set by what was refused.
func unset(r *conformance.Run) {
	r.Require(!r.FreshInfo().Options["clientPin"], "a PIN is set")
}

// setting is setPIN (section 6.5.5.5).
func setting() []conformance.Case {
	return conformance.Join(
		set("sets", "setPIN has no answer but CTAP2_OK, and the PIN then gives tokens", func(r *conformance.Run, p pinuv.Protocol) {
			r.Send(ctap.ClientPIN, r.Agree(p).SetPINParams(fresh)).OK().Empty()
			r.LearnPIN(fresh)
			r.Require(r.FreshInfo().Options["clientPin"], "getInfo does not say that a PIN is set")
			enter(r, p, fresh).OK()
			enter(r, p, conformance.WrongPIN).Want(ctap.ErrPINInvalid)
		}),
		set("other-protocol", "a PIN that was set under one protocol is the same under every other", func(r *conformance.Run, p pinuv.Protocol) {
			r.Send(ctap.ClientPIN, r.Agree(p).SetPINParams(fresh)).OK()
			r.LearnPIN(fresh)
			for _, n := range r.Info().PinUvAuthProtocols {
				if other, ok := pinuv.ByNumber(n); ok {
					enter(r, other, fresh).OK()
				}
			}
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.setPIN.twice", Rule: conformance.Since20(setSection), Start: conformance.WithPIN, Destructive: true, Needs: ceremoniesByPIN,
			Why: "setPIN where a PIN is set is CTAP2_ERR_PIN_AUTH_INVALID, and that PIN stays",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			r.Send(ctap.ClientPIN, r.Agree(p).SetPINParams(fresh)).
				Tolerate(conformance.Deviates("CTAP 2.0 leaves the status open", ctap.ErrNotAllowed)).Want(ctap.ErrPINAuthInvalid)
			enter(r, p, r.PIN()).OK()
		}),
	)
}

// settingMACs is about the pinUvAuthParam of setPIN.
func settingMACs() []conformance.Case {
	return conformance.Join(
		set("mac.wrong", "a pinUvAuthParam that is wrong is CTAP2_ERR_PIN_AUTH_INVALID", func(r *conformance.Run, p pinuv.Protocol) {
			m := r.Agree(p).SetPINParams(fresh)
			mac := bytes.Clone(m[4].([]byte))
			mac[0] ^= 1
			r.Send(ctap.ClientPIN, m.With(4, mac)).Want(ctap.ErrPINAuthInvalid)
			unset(r)
		}),
		set("mac.cut", "a pinUvAuthParam that is cut is CTAP2_ERR_PIN_AUTH_INVALID", func(r *conformance.Run, p pinuv.Protocol) {
			m := r.Agree(p).SetPINParams(fresh)
			for _, n := range []int{0, 1, len(m[4].([]byte)) - 1} {
				r.Doing("with %d bytes of pinUvAuthParam", n)
				r.Send(ctap.ClientPIN, m.With(4, m[4].([]byte)[:n])).
					Tolerate(conformance.Deviates("some keys look at the length first", ctap.ErrInvalidLength, ctap.ErrInvalidParameter)).Want(ctap.ErrPINAuthInvalid)
			}
			unset(r)
		}),
		set("mac.of-another", "a pinUvAuthParam of another PIN is CTAP2_ERR_PIN_AUTH_INVALID", func(r *conformance.Run, p pinuv.Protocol) {
			s := r.Agree(p)
			r.Send(ctap.ClientPIN, s.SetPINParams(fresh).With(4, s.SetPINParams("another-PIN-7")[4])).Want(ctap.ErrPINAuthInvalid)
			unset(r)
		}),
	)
}

// sendNewPIN sends setPIN with what newPinEnc decrypts to.
func sendNewPIN(r *conformance.Run, p pinuv.Protocol, padded []byte) *conformance.Reply {
	s := r.Agree(p)
	enc := s.Encrypt(padded)
	return r.Send(ctap.ClientPIN, conformance.M{1: p.Number(), 2: ctap.SetPIN, 3: s.KeyAgreement, 4: s.MAC(enc), 5: enc})
}

// least is the minimum PIN length, in code points.
func least(r *conformance.Run) int { return int(max(r.Info().MinPINLength, 4)) }

// most is the maximum PIN length, in bytes.
func most(r *conformance.Run) int {
	if n := r.Info().MaxPINLength; n > 0 {
		return int(min(n, 63))
	}
	return 63
}

// letters are code points of two bytes each.
const letters = "žáčéěíňóřšťúůýžťčáéíšňěóřúůý"

func firstLetters(n int) string { return string([]rune(strings.Repeat(letters, 3))[:n]) }

// lengths is about which PINs can be set (sections 6.5.1 and 6.5.5.5).
func lengths() []conformance.Case {
	length := func(id, section, why string, run func(r *conformance.Run, p pinuv.Protocol)) []conformance.Case {
		return conformance.BothProtocols(conformance.Case{
			ID: "clientpin.length." + id, Rule: conformance.Since20(section), Start: conformance.Blank, Destructive: true,
			Needs: ceremoniesByPIN, Why: why,
		}, run)
	}
	taken := func(id, section, why string, pin func(r *conformance.Run) string) []conformance.Case {
		return conformance.One(conformance.Case{
			ID: "clientpin.length." + id, Rule: conformance.Since20(section), Start: conformance.Blank, Destructive: true,
			Needs: ceremoniesByPIN, Why: why,
			Run: func(r *conformance.Run) {
				text := pin(r)
				r.SetPIN(text)
				enter(r, r.Protocol(), text).OK()
			},
		})
	}
	refused := func(id, section, why string, pin func(r *conformance.Run) []byte, also ...ctap.Status) []conformance.Case {
		return length(id, section, why, func(r *conformance.Run, p pinuv.Protocol) {
			sendNewPIN(r, p, pin(r)).Want(append([]ctap.Status{ctap.ErrPINPolicyViolation}, also...)...)
			unset(r)
		})
	}
	return conformance.Join(
		taken("least", "6.5.5.5", "a PIN of the minimum length is taken", func(r *conformance.Run) string { return digits[:least(r)] }),
		taken("most", "6.5.1", "a PIN of the maximum length, 63 bytes where getInfo does not say less, is taken", func(r *conformance.Run) string { return digits[:most(r)] }),
		taken("least.code-points", "6.5.1", "the minimum is counted in code points, which may have several bytes", func(r *conformance.Run) string { return firstLetters(least(r)) }),
		refused("too-short", "6.5.5.5", "a PIN shorter than the minimum is CTAP2_ERR_PIN_POLICY_VIOLATION",
			func(r *conformance.Run) []byte { return conformance.PadPIN(digits[:least(r)-1]) }),
		refused("empty", "6.5.5.5", "a PIN without a character is CTAP2_ERR_PIN_POLICY_VIOLATION",
			func(*conformance.Run) []byte { return conformance.PadPIN("") }),
		refused("too-short.code-points", "6.5.1", "a PIN with enough bytes and too few code points is CTAP2_ERR_PIN_POLICY_VIOLATION",
			func(r *conformance.Run) []byte { return conformance.PadPIN(firstLetters(least(r) - 1)) }),
		refused("too-long", "6.5.1", "a PIN of 64 bytes, without a zero behind it, is CTAP2_ERR_PIN_POLICY_VIOLATION",
			func(*conformance.Run) []byte { return []byte(digits[:64]) }, ctap.ErrInvalidParameter),
		refused("block.short", "6.5.5.5", "a new PIN that is padded to less than 64 bytes is refused",
			func(*conformance.Run) []byte { return conformance.PadPIN(fresh)[:48] }, ctap.ErrInvalidParameter, ctap.ErrInvalidLength),
		refused("block.long", "6.5.5.5", "a new PIN that is padded to more than 64 bytes is refused",
			func(*conformance.Run) []byte { return append(conformance.PadPIN(fresh), make([]byte, 16)...) }, ctap.ErrInvalidParameter, ctap.ErrInvalidLength),
	)
}
