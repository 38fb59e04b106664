package clientpin

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// configurable is for cases that change the policy about PINs by authenticatorConfig.
var configurable = []conformance.Need{
	conformance.CanToken(), conformance.CanPIN(), conformance.NoOption(noMcGa), conformance.Option("authnrCfg"), conformance.Option("setMinPINLength"),
}

// policy sends setMinPINLength with a token that may.
func policy(r *conformance.Run, params conformance.M) {
	configure(r, r.Token(ctap.PermAuthenticatorCfg, ""), ctap.SetMinPINLength, params).OK()
}

func withPolicy(id, section, why string, run func(r *conformance.Run)) conformance.Case {
	return conformance.Case{
		ID: "clientpin." + id, Rule: conformance.Since21(section), Start: conformance.WithPIN, Destructive: true,
		Needs: configurable, Why: why, Run: run,
	}
}

// minimum is about a minimum PIN length that was raised (section 6.5.5.6).
func minimum() []conformance.Case {
	const section = "6.5.5.6"
	return conformance.One(
		withPolicy("minimum.change", section, "a new PIN is held against the minimum that was set, and getInfo tells it", func(r *conformance.Run) {
			raised := least(r) + 2
			policy(r, conformance.M{1: raised})
			conformance.Equal(r, "minPINLength", r.FreshInfo().MinPINLength, uint(raised))
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(r.PIN(), digits[:raised-1])).Want(ctap.ErrPINPolicyViolation)
			r.ChangePIN(r.PIN(), digits[:raised])
			hit(r).OK()
		}),
		withPolicy("minimum.code-points", section, "the minimum that was set is counted in code points", func(r *conformance.Run) {
			raised := least(r) + 2
			policy(r, conformance.M{1: raised})
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(r.PIN(), firstLetters(raised-1))).Want(ctap.ErrPINPolicyViolation)
			r.ChangePIN(r.PIN(), firstLetters(raised))
		}),
		conformance.Case{
			ID: "clientpin.minimum.power-cycle", Rule: conformance.Since21(section), Start: conformance.WithPIN, Destructive: true,
			Needs: configurable, Hands: conformance.Replug, Why: "the minimum that was set stays after a power cycle", Run: func(r *conformance.Run) {
				raised := least(r) + 2
				policy(r, conformance.M{1: raised})
				r.PowerCycle()
				conformance.Equal(r, "minPINLength", r.Info().MinPINLength, uint(raised))
				r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(r.PIN(), digits[:raised-1])).Want(ctap.ErrPINPolicyViolation)
			},
		},
	)
}

// force has the PIN be changed before it can be used.
func force(r *conformance.Run) {
	policy(r, conformance.M{3: true})
	r.Require(r.FreshInfo().ForcePINChange, "getInfo does not say forcePINChange")
}

// forced is about a PIN that must be changed (sections 6.5.5.6 and 6.5.5.7).
func forced() []conformance.Case {
	return conformance.One(
		withPolicy("forced.tokenUsingPIN", "6.5.5.7.2", "a PIN that must be changed gives no token: CTAP2_ERR_PIN_POLICY_VIOLATION", func(r *conformance.Run) {
			force(r)
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).TokenUsingPINParams(r.PIN(), ctap.PermGetAssertion, tokenRP)).Want(ctap.ErrPINPolicyViolation)
		}),
		withPolicy("forced.getPinToken", "6.5.5.7.1", "a PIN that must be changed gives no token of getPinToken: CTAP2_ERR_PIN_INVALID", func(r *conformance.Run) {
			force(r)
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).GetPinTokenParams(r.PIN())).
				Tolerate(conformance.Deviates("some keys answer as with permissions", ctap.ErrPINPolicyViolation)).Want(ctap.ErrPINInvalid)
		}),
		withPolicy("forced.too-short", "6.5.5.7.2", "a PIN shorter than a minimum that was set afterwards must be changed", func(r *conformance.Run) {
			policy(r, conformance.M{1: len(r.PIN()) + 1})
			r.Require(r.FreshInfo().ForcePINChange, "getInfo does not say forcePINChange")
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).TokenUsingPINParams(r.PIN(), ctap.PermGetAssertion, tokenRP)).Want(ctap.ErrPINPolicyViolation)
		}),
		withPolicy("forced.same-pin", "6.5.5.6", "a PIN that must be changed cannot be changed to itself", func(r *conformance.Run) {
			force(r)
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(r.PIN(), r.PIN())).Want(ctap.ErrPINPolicyViolation)
			r.Require(r.FreshInfo().ForcePINChange, "getInfo no more says forcePINChange")
		}),
		withPolicy("forced.changed", "6.5.5.6", "changing the PIN is all that was asked for: tokens are given again", func(r *conformance.Run) {
			force(r)
			r.ChangePIN(r.PIN(), fresh)
			r.Require(!r.FreshInfo().ForcePINChange, "getInfo still says forcePINChange")
			hit(r).OK()
		}),
		withPolicy("forced.token-ends", "6.5.2.1", "when the PIN must be changed, every token ends", func(r *conformance.Run) {
			t := r.Token(ctap.PermAuthenticatorCfg|ctap.PermGetAssertion, tokenRP)
			configure(r, t, ctap.SetMinPINLength, conformance.M{3: true}).OK()
			use(r, t, tokenRP).Want(ctap.ErrPINAuthInvalid)
		}),
	)
}
