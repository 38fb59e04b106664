package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const touching = "6.1.2 step 14"

// presence is about the touch.
func presence() []conformance.Case {
	return conformance.One(
		conformance.StartWithPIN(once("presence.touched", touching, "a credential takes a touch, and says so with the flag UP", func(r *run) {
			params := r.Authorise(ctap.MakeCredential, r.CreateParams())
			r.ReadCredential(params, r.Send(ctap.MakeCredential, params).OK().Touched())
		})),
		conformance.StartWithPIN(once("presence.each", touching, "every credential takes a touch of its own", func(r *run) {
			for range 3 {
				attempt(r, r.CreateParams()).OK().Touched()
			}
		})),
		conformance.StartWithPIN(conformance.WithHands(once("presence.denied", touching, "a user who declines is CTAP2_ERR_OPERATION_DENIED", func(r *run) {
			params := r.Authorise(ctap.MakeCredential, r.CreateParams())
			r.Plan(conformance.Deny)
			r.Send(ctap.MakeCredential, params).Want(ctap.ErrOperationDenied).Touched()
		}), conformance.Deny)),
		conformance.StartWithPIN(conformance.WithHands(once("presence.timed-out", touching, "a user who does nothing has declined", func(r *run) {
			params := r.Authorise(ctap.MakeCredential, r.CreateParams())
			r.Plan(conformance.Ignore)
			r.Send(ctap.MakeCredential, params).Tolerate(conformance.TimeoutAs2F).Want(ctap.ErrOperationDenied).Touched()
		}), conformance.Ignore)),
		conformance.StartWithPIN(conformance.WithHands(once("presence.cancelled", touching, "a request that the platform cancels is CTAP2_ERR_KEEPALIVE_CANCEL", func(r *run) {
			params := r.Authorise(ctap.MakeCredential, r.CreateParams())
			r.Plan(conformance.Wait)
			r.SendCancelled(ctap.MakeCredential, params).Want(ctap.ErrKeepaliveCancel).Empty()
		}), conformance.Wait)),
		conformance.StartWithPIN(conformance.WithHands(conformance.Needing(once("presence.nothing-left", touching, "what was refused is not stored", func(r *run) {
			params := r.Authorise(ctap.MakeCredential, r.PasskeyParams(r.NewSite(), "alice"))
			r.Plan(conformance.Deny)
			r.Send(ctap.MakeCredential, params).Refused()
			r.Plan(conformance.Touch)
			site := params[2].(s)["id"].(string)
			r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, r.AssertParamsAt(site))).Want(ctap.ErrNoCredentials)
		}), conformance.Option("rk")), conformance.Deny)),
	)
}
