package clientpin

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

const changeSection = "6.5.5.6"

// change is a case of changePIN with each protocol.
func change(id, why string, run func(r *conformance.Run, p pinuv.Protocol)) []conformance.Case {
	return conformance.BothProtocols(conformance.Case{
		ID: "clientpin.changePIN." + id, Rule: conformance.Since20(changeSection), Start: conformance.WithPIN, Destructive: true,
		Needs: ceremoniesByPIN, Why: why,
	}, run)
}

// unchanged checks that a refused change left the PIN and cost no try.
func unchanged(r *conformance.Run, p pinuv.Protocol, before uint) {
	left(r, before)
	enter(r, p, r.PIN()).OK()
}

// changing is changePIN (section 6.5.5.6).
func changing() []conformance.Case {
	return conformance.Join(
		change("changes", "changePIN has no answer but CTAP2_OK; the new PIN gives tokens, and the old one does not", func(r *conformance.Run, p pinuv.Protocol) {
			old := r.PIN()
			r.Send(ctap.ClientPIN, r.Agree(p).ChangePINParams(old, fresh)).OK().Empty()
			r.LearnPIN(fresh)
			enter(r, p, old).Want(ctap.ErrPINInvalid)
			enter(r, p, fresh).OK()
		}),
		change("wrong-pin", "a wrong PIN is CTAP2_ERR_PIN_INVALID, costs a try, and changes nothing", func(r *conformance.Run, p pinuv.Protocol) {
			before, _ := r.PINRetries()
			r.Send(ctap.ClientPIN, r.Agree(p).ChangePINParams(conformance.WrongPIN, fresh)).Want(ctap.ErrPINInvalid)
			after, _ := r.PINRetries()
			conformance.Equal(r, "pinRetries", after, before-1)
			enter(r, p, r.PIN()).OK()
		}),
		change("too-short", "a new PIN that is too short is CTAP2_ERR_PIN_POLICY_VIOLATION, and the old one stays", func(r *conformance.Run, p pinuv.Protocol) {
			r.Send(ctap.ClientPIN, r.Agree(p).ChangePINParams(r.PIN(), digits[:least(r)-1])).Want(ctap.ErrPINPolicyViolation)
			enter(r, p, r.PIN()).OK()
		}),
		change("restores-tries", "changing the PIN gives all tries back", func(r *conformance.Run, p pinuv.Protocol) {
			before, _ := r.PINRetries()
			enter(r, p, conformance.WrongPIN).Want(ctap.ErrPINInvalid)
			r.ChangePIN(r.PIN(), fresh)
			after, _ := r.PINRetries()
			conformance.Equal(r, "pinRetries", after, before)
		}),
		conformance.One(conformance.Case{
			ID: "clientpin.changePIN.not-set", Rule: conformance.Since20(changeSection), Start: conformance.Blank, Needs: ceremoniesByPIN,
			Why: "changePIN where no PIN is set is CTAP2_ERR_PIN_NOT_SET",
			Run: func(r *conformance.Run) {
				r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(conformance.DefaultPIN, fresh)).
					Tolerate(conformance.NotSetAs36).Want(ctap.ErrPINNotSet)
			},
		}),
	)
}

// changingMACs is about the pinUvAuthParam of changePIN.
func changingMACs() []conformance.Case {
	return conformance.Join(
		change("mac.wrong", "a pinUvAuthParam that is wrong is CTAP2_ERR_PIN_AUTH_INVALID, and costs no try", func(r *conformance.Run, p pinuv.Protocol) {
			before, _ := r.PINRetries()
			m := r.Agree(p).ChangePINParams(r.PIN(), fresh)
			mac := bytes.Clone(m[4].([]byte))
			mac[len(mac)-1] ^= 1
			r.Send(ctap.ClientPIN, m.With(4, mac)).Want(ctap.ErrPINAuthInvalid)
			unchanged(r, p, before)
		}),
		change("mac.before-pin", "pinUvAuthParam is verified before the PIN: with both wrong no try is lost", func(r *conformance.Run, p pinuv.Protocol) {
			before, _ := r.PINRetries()
			m := r.Agree(p).ChangePINParams(conformance.WrongPIN, fresh)
			r.Send(ctap.ClientPIN, m.With(4, make([]byte, len(m[4].([]byte))))).Want(ctap.ErrPINAuthInvalid)
			unchanged(r, p, before)
		}),
		change("mac.new-pin-alone", "pinUvAuthParam is over newPinEnc and pinHashEnc, not over the first alone", func(r *conformance.Run, p pinuv.Protocol) {
			before, _ := r.PINRetries()
			s := r.Agree(p)
			m := s.ChangePINParams(r.PIN(), fresh)
			r.Send(ctap.ClientPIN, m.With(4, s.MAC(m[5].([]byte)))).Want(ctap.ErrPINAuthInvalid)
			unchanged(r, p, before)
		}),
		change("mac.order", "pinUvAuthParam is over newPinEnc before pinHashEnc", func(r *conformance.Run, p pinuv.Protocol) {
			before, _ := r.PINRetries()
			s := r.Agree(p)
			m := s.ChangePINParams(r.PIN(), fresh)
			r.Send(ctap.ClientPIN, m.With(4, s.MAC(m[6].([]byte), m[5].([]byte)))).Want(ctap.ErrPINAuthInvalid)
			unchanged(r, p, before)
		}),
	)
}
