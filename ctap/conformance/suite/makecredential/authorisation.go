package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// notSet is another status for a pinUvAuthParam while no PIN is set.
var notSet = conformance.Deviates("CTAP 2.0 has CTAP2_ERR_PIN_NOT_SET here", ctap.ErrPINNotSet)

// probes is about a pinUvAuthParam of length zero, and pinUvAuthProtocol.
func probes() []conformance.Case {
	empty := func(r *run) m { return r.CreateParams().With(8, []byte{}).With(9, r.Protocol().Number()) }
	authorised := func(r *run) m { return r.Authorise(ctap.MakeCredential, r.CreateParams()) }
	return conformance.One(
		conformance.StartBlank(conformance.Needing(once("probe.no-pin", "6.1.2 step 1", "an empty pinUvAuthParam waits for a touch and says that no PIN is set", func(r *run) {
			r.Send(ctap.MakeCredential, empty(r)).Want(ctap.ErrPINNotSet).Touched()
		}), conformance.CanPIN(), conformance.NoOption("uv"))),
		conformance.StartWithPIN(once("probe.pin", "6.1.2 step 1", "an empty pinUvAuthParam waits for a touch and says that a PIN is set", func(r *run) {
			r.Send(ctap.MakeCredential, empty(r)).Want(ctap.ErrPINInvalid).Touched()
		})),
		conformance.StartWithPIN(conformance.WithHands(once("probe.denied", "6.1.2 step 1", "an empty pinUvAuthParam says CTAP2_ERR_OPERATION_DENIED of a user who declines", func(r *run) {
			r.Plan(conformance.Deny)
			r.Send(ctap.MakeCredential, empty(r)).Want(ctap.ErrOperationDenied).Touched()
		}), conformance.Deny)),
		conformance.StartWithPIN(once("probe.costs-no-try", "6.1.2 step 1", "an empty pinUvAuthParam is no try of the PIN", func(r *run) {
			before, _ := r.PINRetries()
			r.Send(ctap.MakeCredential, empty(r)).Want(ctap.ErrPINInvalid)
			after, _ := r.PINRetries()
			conformance.Equal(r, "pinRetries", after, before)
		})),
		conformance.StartWithPIN(once("protocol.missing", "6.1.2 step 2", "pinUvAuthParam comes with pinUvAuthProtocol", func(r *run) {
			r.Send(ctap.MakeCredential, authorised(r).Without(9)).
				Tolerate(conformance.MissingAs02, conformance.AuthAs33).Want(ctap.ErrMissingParameter)
		})),
		conformance.StartWithPIN(once("protocol.unknown", "6.1.2 step 2", "a pinUvAuthProtocol that there is not is CTAP1_ERR_INVALID_PARAMETER", func(r *run) {
			r.Send(ctap.MakeCredential, authorised(r).With(9, 99)).Tolerate(conformance.AuthAs33).Want(ctap.ErrInvalidParameter)
		})),
		conformance.StartBlank(conformance.Needing(once("token.no-pin", "6.1.2 step 11", "no pinUvAuthParam is right while no token was ever given", func(r *run) {
			random := r.CreateParams().With(8, r.Bytes(16)).With(9, r.Protocol().Number())
			r.Send(ctap.MakeCredential, random).Tolerate(notSet).Want(ctap.ErrPINAuthInvalid)
		}), conformance.CanPIN(), conformance.NoOption("uv"))),
	)
}

// tokens is about whom a token speaks for.
func tokens() []conformance.Case {
	refused := func(r *run, t *conformance.Token, params m) {
		r.Send(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, params)).Want(ctap.ErrPINAuthInvalid)
	}
	return conformance.Join(conformance.BothProtocols(
		conformance.StartWithPIN(once("token.accepted", "6.1.2 step 11", "a token with the permission mc makes a credential with the flag UV", nil)),
		func(r *run, p pinuv.Protocol) {
			t := r.TokenOf(p, ctap.PermMakeCredential, conformance.RPID)
			c := r.Create(r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams()))
			r.Check(c.Data.Flags&ctap.FlagUV != 0, "the flag UV is not set: %s", c.Data.Flags)
		}), conformance.BothProtocols(
		conformance.StartWithPIN(once("token.other-hash", "6.1.2 step 11", "pinUvAuthParam authenticates this clientDataHash", nil)),
		func(r *run, p pinuv.Protocol) {
			t := r.TokenOf(p, ctap.PermMakeCredential, conformance.RPID)
			params := r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams())
			r.Send(ctap.MakeCredential, params.With(1, r.Bytes(32))).Want(ctap.ErrPINAuthInvalid)
		}), conformance.One(
		conformance.StartWithPIN(once("token.cut", "6.1.2 step 11", "a part of the right pinUvAuthParam is not right", func(r *run) {
			params := r.Authorise(ctap.MakeCredential, r.CreateParams())
			mac := params[8].([]byte)
			r.Send(ctap.MakeCredential, params.With(8, mac[:len(mac)-1])).
				Tolerate(lengthAs03, conformance.Deviates("implementations differ where the length is wrong", ctap.ErrInvalidParameter)).Want(ctap.ErrPINAuthInvalid)
		})),
		conformance.StartWithPIN(conformance.Needing(since21("token.other-protocol", "6.1.2 step 11", "a token of one protocol is none of the other", func(r *run) {
			t := r.TokenOf(pinuv.One, ctap.PermMakeCredential, conformance.RPID)
			params := r.AuthoriseWith(&conformance.Token{Protocol: pinuv.Two, Value: t.Value}, ctap.MakeCredential, r.CreateParams())
			r.Send(ctap.MakeCredential, params).Want(ctap.ErrPINAuthInvalid)
		}), conformance.Protocol(1), conformance.Protocol(2))),
		conformance.StartWithPIN(conformance.Needing(since21("token.permission", "6.1.2 step 11", "a token without the permission mc makes no credential", func(r *run) {
			refused(r, r.Token(ctap.PermGetAssertion, conformance.RPID), r.CreateParams())
		}), conformance.CanToken())),
		conformance.StartWithPIN(conformance.Needing(since21("token.other-site", "6.1.2 step 11", "a token for one relying party makes no credential at another", func(r *run) {
			refused(r, r.Token(ctap.PermMakeCredential, r.NewSite()), r.CreateParams())
		}), conformance.CanToken())),
		conformance.StartWithPIN(conformance.Needing(since21("token.bound-by-use", "6.1.2 step 11", "a token without a relying party is bound to the first that it is used at", func(r *run) {
			secret := r.Agree(r.Protocol())
			t := secret.ReadToken(r.Send(ctap.ClientPIN, secret.GetPinTokenParams(r.PIN())))
			silent := r.AssertParamsAt(r.NewSite()).With(5, s{"up": false})
			r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, silent)).Want(ctap.ErrNoCredentials)
			refused(r, t, r.CreateParams())
		}), conformance.CanToken())),
		conformance.StartWithPIN(conformance.Needing(since21("token.several-permissions", "6.1.2 step 11", "other permissions beside mc do no harm", func(r *run) {
			t := r.Token(ctap.PermMakeCredential|ctap.PermGetAssertion, conformance.RPID)
			r.Create(r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams()))
		}), conformance.CanToken())),
	))
}
