package getassertion

import (
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// probes is about a pinUvAuthParam of length zero, and pinUvAuthProtocol.
func probes() []conformance.Case {
	empty := func(r *run) m { return r.AssertParams().With(6, []byte{}).With(7, r.Protocol().Number()) }
	notSet := conformance.Deviates("CTAP 2.0 has CTAP2_ERR_PIN_NOT_SET here", ctap.ErrPINNotSet)
	return conformance.One(
		conformance.StartBlank(conformance.Needing(once("probe.no-pin", "6.2.2 step 1", "an empty pinUvAuthParam waits for a touch and says that no PIN is set", func(r *run) {
			r.Send(ctap.GetAssertion, empty(r)).Want(ctap.ErrPINNotSet).Touched()
		}), conformance.CanPIN(), conformance.NoOption("uv"))),
		conformance.StartWithPIN(once("probe.pin", "6.2.2 step 1", "an empty pinUvAuthParam waits for a touch and says that a PIN is set", func(r *run) {
			r.Send(ctap.GetAssertion, empty(r)).Want(ctap.ErrPINInvalid).Touched()
		})),
		conformance.StartWithPIN(once("protocol.missing", "6.2.2 step 2", "pinUvAuthParam comes with pinUvAuthProtocol", func(r *run) {
			params := r.Authorise(ctap.GetAssertion, r.AssertParams(r.NewCredential()))
			r.Send(ctap.GetAssertion, params.Without(7)).
				Tolerate(conformance.MissingAs02, conformance.AuthAs33).Want(ctap.ErrMissingParameter)
		})),
		conformance.StartWithPIN(once("protocol.unknown", "6.2.2 step 2", "a pinUvAuthProtocol that there is not is CTAP1_ERR_INVALID_PARAMETER", func(r *run) {
			params := r.Authorise(ctap.GetAssertion, r.AssertParams(r.NewCredential()))
			r.Send(ctap.GetAssertion, params.With(7, 99)).Tolerate(conformance.AuthAs33).Want(ctap.ErrInvalidParameter)
		})),
		conformance.StartBlank(conformance.Needing(once("token.no-pin", "6.2.2 step 6", "no pinUvAuthParam is right while no token was ever given", func(r *run) {
			params := r.AssertParams(r.NewCredential()).With(6, r.Bytes(16)).With(7, r.Protocol().Number())
			r.Send(ctap.GetAssertion, params).Tolerate(notSet).Want(ctap.ErrPINAuthInvalid)
		}), conformance.CanPIN(), conformance.NoOption("uv"), conformance.NoOption("alwaysUv"))),
	)
}

// tokens is about whom a token speaks for.
func tokens() []conformance.Case {
	refused := func(r *run, t *conformance.Token, params m) {
		r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, params)).Want(ctap.ErrPINAuthInvalid)
	}
	return conformance.Join(conformance.BothProtocols(
		conformance.StartWithPIN(once("token.accepted", "6.2.2 step 6", "a token with the permission ga signs with the flag UV", nil)),
		func(r *run, p pinuv.Protocol) {
			c := r.NewCredential()
			t := r.TokenOf(p, ctap.PermGetAssertion, c.RPID)
			a := r.Assert(r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c)), c)
			r.Check(a.Data.Flags&ctap.FlagUV != 0, "the flag UV is not set: %s", a.Data.Flags)
		}), conformance.BothProtocols(
		conformance.StartWithPIN(once("token.other-hash", "6.2.2 step 6", "pinUvAuthParam authenticates this clientDataHash", nil)),
		func(r *run, p pinuv.Protocol) {
			c := r.NewCredential()
			params := r.AuthoriseWith(r.TokenOf(p, ctap.PermGetAssertion, c.RPID), ctap.GetAssertion, r.AssertParams(c))
			r.Send(ctap.GetAssertion, params.With(2, r.Bytes(32))).Want(ctap.ErrPINAuthInvalid)
		}), conformance.One(
		conformance.StartWithPIN(conformance.Needing(since21("token.permission", "6.2.2 step 6", "a token without the permission ga signs nothing", func(r *run) {
			c := r.NewCredential()
			refused(r, r.Token(ctap.PermMakeCredential, c.RPID), r.AssertParams(c))
		}), conformance.CanToken())),
		conformance.StartWithPIN(conformance.Needing(since21("token.other-site", "6.2.2 step 6", "a token for one relying party signs nothing for another", func(r *run) {
			c := r.NewCredential()
			refused(r, r.Token(ctap.PermGetAssertion, r.NewSite()), r.AssertParams(c))
		}), conformance.CanToken())),
		conformance.StartWithPIN(conformance.Needing(since21("token.bound-by-use", "6.2.2 step 6", "a token without a relying party is bound to the first that it is used at", func(r *run) {
			c := r.NewCredential()
			secret := r.Agree(r.Protocol())
			t := secret.ReadToken(r.Send(ctap.ClientPIN, secret.GetPinTokenParams(r.PIN())))
			r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, silent(r.AssertParamsAt(r.NewSite())))).Want(ctap.ErrNoCredentials)
			refused(r, t, r.AssertParams(c))
		}), conformance.CanToken())),
		conformance.StartWithPIN(once("token.before-credentials", "6.2.2 step 6", "a wrong pinUvAuthParam is told of before whether there is a credential", func(r *run) {
			t := r.Token(ctap.PermGetAssertion, conformance.RPID)
			params := r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams().With(3, []s{strange(r)}))
			r.Send(ctap.GetAssertion, params.With(2, r.Bytes(32))).Want(ctap.ErrPINAuthInvalid)
		})),
	))
}

// spending is about what a ceremony leaves of the token that authorised it.
func spending() []conformance.Case {
	return conformance.One(
		conformance.StartWithPIN(conformance.Needing(since21("spent.token", "6.2.2 step 9", "the touch spends the token: it signs nothing more", func(r *run) {
			c := r.NewCredential()
			t := r.Token(ctap.PermGetAssertion, c.RPID)
			r.Assert(r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c)), c)
			r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c))).Want(ctap.ErrPINAuthInvalid)
		}), conformance.CanToken())),
		conformance.StartWithPIN(conformance.Needing(since21("spent.not-by-silence", "6.2.2 step 9", "a silent request spends nothing", func(r *run) {
			c := r.NewCredential()
			t := r.Token(ctap.PermGetAssertion, c.RPID)
			for range 2 {
				r.Assert(r.AuthoriseWith(t, ctap.GetAssertion, silent(r.AssertParams(c))), c)
			}
			r.Assert(r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c)), c)
		}), conformance.CanToken())),
		conformance.StartWithPIN(conformance.Needing(since21("spent.not-by-nothing", "6.2.2 step 9", "a request that finds no credential spends nothing", func(r *run) {
			c := r.NewCredential()
			t := r.Token(ctap.PermGetAssertion, c.RPID)
			none := r.AssertParams(c).With(3, []s{strange(r)})
			r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, none)).Want(ctap.ErrNoCredentials)
			r.Assert(r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c)), c)
		}), conformance.CanToken())),
	)
}

// tokenByUV gets a token by built-in user verification.
func tokenByUV(r *run, permissions ctap.Permissions) *conformance.Token {
	secret := r.Agree(r.Protocol())
	return secret.ReadToken(r.Send(ctap.ClientPIN, secret.TokenUsingUVParams(permissions, conformance.RPID)))
}

// builtIn is about built-in user verification.
func builtIn() []conformance.Case {
	stays := conformance.Needing(since21("built-in.present-for-thirty-seconds", "6.2.2 step 9", "the presence that a token proves lasts thirty seconds", func(r *run) {
		c := r.NewCredential()
		t := tokenByUV(r, ctap.PermGetAssertion)
		r.Assert(r.AuthoriseWith(t, ctap.GetAssertion, silent(r.AssertParams(c))), c)
		r.Sleep(31 * time.Second)
		r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c))).OK().Touched()
	}), conformance.Option("uv"), conformance.CanToken())
	stays.Waits = 31 * time.Second
	return conformance.One(
		stays,
		conformance.Needing(since21("built-in.present", "6.2.2 step 9", "a token by built-in user verification proves presence: no touch is asked for", func(r *run) {
			c := r.NewCredential()
			params := r.AuthoriseWith(tokenByUV(r, ctap.PermGetAssertion), ctap.GetAssertion, r.AssertParams(c))
			a := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params).OK().Untouched(), c)
			r.Check(a.Data.Flags&(ctap.FlagUP|ctap.FlagUV) == ctap.FlagUP|ctap.FlagUV, "the flags are %s", a.Data.Flags)
		}), conformance.Option("uv"), conformance.CanToken()),
		conformance.Needing(once("built-in.option", "6.2.2 step 6", "uv verifies the user by built-in means, and sets the flag UV", func(r *run) {
			c := r.NewCredential()
			params := r.AssertParams(c).With(5, s{"uv": true})
			a := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params).OK().Touched(), c)
			r.Check(a.Data.Flags&ctap.FlagUV != 0, "the flag UV is not set: %s", a.Data.Flags)
		}), conformance.Option("uv")),
		conformance.Leaving(conformance.WithHands(conformance.StartBlank(conformance.Needing(once("built-in.stranger", "6.2.2 step 6", "nothing is signed for who is not recognised", func(r *run) {
			c := r.NewCredential()
			r.Plan(conformance.Stranger)
			r.Send(ctap.GetAssertion, r.AssertParams(c).With(5, s{"uv": true})).
				Tolerate(conformance.Deviates("implementations answer the status of the verification itself", ctap.ErrUVInvalid)).
				Want(ctap.ErrOperationDenied, ctap.ErrPUATRequired, ctap.ErrUVBlocked)
		}), conformance.Option("uv"))), conformance.Stranger)),
	)
}
