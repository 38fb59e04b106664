package getassertion

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const touching = "6.2.2 step 9"

// presence is about the touch.
func presence() []conformance.Case {
	prepared := func(r *run) (m, *conformance.Credential) {
		c := r.NewCredential()
		return r.Authorise(ctap.GetAssertion, r.AssertParams(c)), c
	}
	return conformance.One(
		conformance.StartWithPIN(once("presence.touched", touching, "a signature takes a touch, and says so with the flag UP", func(r *run) {
			params, c := prepared(r)
			a := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params).OK().Touched(), c)
			r.Check(a.Data.Flags&ctap.FlagUP != 0, "the flag UP is not set: %s", a.Data.Flags)
		})),
		conformance.StartWithPIN(conformance.Needing(once("presence.without-verification", touching, "a touch suffices where nobody asks for user verification", func(r *run) {
			c := r.NewCredential()
			params := r.AssertParams(c)
			a := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params).OK().Touched(), c)
			r.Check(a.Data.Flags&(ctap.FlagUP|ctap.FlagUV) == ctap.FlagUP, "the flags are %s", a.Data.Flags)
		}), conformance.NoOption("alwaysUv"))),
		conformance.StartWithPIN(once("presence.each", touching, "every signature takes a touch of its own", func(r *run) {
			c := r.NewCredential()
			for range 3 {
				attempt(r, r.AssertParams(c)).OK().Touched()
			}
		})),
		conformance.StartWithPIN(conformance.WithHands(once("presence.denied", touching, "a user who declines is CTAP2_ERR_OPERATION_DENIED", func(r *run) {
			params, _ := prepared(r)
			r.Plan(conformance.Deny)
			r.Send(ctap.GetAssertion, params).Want(ctap.ErrOperationDenied).Touched().Empty()
		}), conformance.Deny)),
		conformance.StartWithPIN(conformance.WithHands(once("presence.timed-out", touching, "a user who does nothing has declined", func(r *run) {
			params, _ := prepared(r)
			r.Plan(conformance.Ignore)
			r.Send(ctap.GetAssertion, params).Tolerate(conformance.TimeoutAs2F).Want(ctap.ErrOperationDenied).Touched().Empty()
		}), conformance.Ignore)),
		conformance.StartWithPIN(conformance.WithHands(once("presence.cancelled", touching, "a request that the platform cancels is CTAP2_ERR_KEEPALIVE_CANCEL", func(r *run) {
			params, _ := prepared(r)
			r.Plan(conformance.Wait)
			r.SendCancelled(ctap.GetAssertion, params).Want(ctap.ErrKeepaliveCancel).Empty()
		}), conformance.Wait)),
	)
}

// silence is about up: false.
func silence() []conformance.Case {
	return conformance.One(
		once("silent.untouched", touching, "up: false signs without a touch, and without the flag UP", func(r *run) {
			c := r.NewCredential()
			params := silent(r.AssertParams(c))
			a := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params).OK().Untouched(), c)
			r.Check(a.Data.Flags&ctap.FlagUP == 0, "the flags are %s", a.Data.Flags)
		}),
		once("silent.none", "6.2.2 step 8", "up: false finds out without a touch that there is no credential", func(r *run) {
			r.Send(ctap.GetAssertion, silent(listed(r, strange(r)))).Want(ctap.ErrNoCredentials).Untouched()
		}),
		conformance.StartWithPIN(once("silent.verified", touching, "up: false with a token has the flag UV and not UP", func(r *run) {
			c := r.NewCredential()
			params := r.Authorise(ctap.GetAssertion, silent(r.AssertParams(c)))
			a := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params).OK().Untouched(), c)
			r.Check(a.Data.Flags&(ctap.FlagUP|ctap.FlagUV) == ctap.FlagUV, "the flags are %s", a.Data.Flags)
		})),
		stored("silent.discoverable", touching, "up: false asks for no touch of discoverable credentials either", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			params := silent(r.AssertParamsAt(c.RPID))
			a := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params).OK().Untouched(), c)
			r.Check(a.Data.Flags&ctap.FlagUP == 0, "the flags are %s", a.Data.Flags)
		}),
	)
}
