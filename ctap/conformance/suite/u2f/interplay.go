package u2f

import (
	"bytes"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/cose"
	"fido-emu/hid"
)

// interplay is about U2F on an authenticator that speaks CTAP2, too.
func interplay() []conformance.Case {
	both := []conformance.Need{conformance.SpeaksU2F(), conformance.Speaks2()}
	return conformance.One(
		conformance.Case{
			ID: "u2f.ctap2.assertion", Rule: conformance.Since20("10.3"), Needs: both, Hands: conformance.Touch,
			Why: "a credential that was made by U2F for a relying party's id signs in by CTAP2",
			Run: func(r *conformance.Run) {
				r.Use(asCredential(enrol(r, application(conformance.RPID)), conformance.RPID))
			},
		},
		conformance.Case{
			ID: "u2f.ctap2.appid", Rule: conformance.Since20("10.3"), Needs: both, Hands: conformance.Touch,
			Why: "a credential that was made by U2F for an AppID signs in by CTAP2 with the AppID in the place of the relying party's id",
			Run: func(r *conformance.Run) {
				const appID = "https://conformance.example/app-id.json"
				r.Use(asCredential(enrol(r, application(appID)), appID))
			},
		},
		conformance.Case{
			ID: "u2f.ctap2.of-another", Rule: conformance.Since20("10.3"), Needs: both, Hands: conformance.Touch,
			Why: "a credential that was made by U2F does not sign in by CTAP2 at another relying party",
			Run: func(r *conformance.Run) {
				c := asCredential(enrol(r, application("another.example")), conformance.RPID)
				r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, r.AssertParams(c))).Want(ctap.ErrNoCredentials)
			},
		},
		conformance.Case{
			ID: "u2f.ctap2.excluded", Rule: conformance.Since20("10.3"), Needs: both, Hands: conformance.Touch,
			Why: "a credential that was made by U2F counts in the exclude list of authenticatorMakeCredential",
			Run: func(r *conformance.Run) {
				c := asCredential(enrol(r, application(conformance.RPID)), conformance.RPID)
				m := r.CreateParams().With(5, []conformance.S{c.Descriptor()})
				r.Send(ctap.MakeCredential, r.Authorise(ctap.MakeCredential, m)).Want(ctap.ErrCredentialExcluded)
			},
		},
		conformance.Case{
			ID: "u2f.ctap2.counter", Rule: conformance.OfU2F("5.4"), Needs: both, Hands: conformance.Touch,
			Why: "a credential's counter rises over U2F and CTAP2 together",
			Run: func(r *conformance.Run) {
				c := enrol(r, application(conformance.RPID))
				before := sign(r, c)
				between := r.Use(asCredential(c, conformance.RPID)).Data.SignCount
				after := sign(r, c)
				r.Require(before < between && between < after, "the counter is %d, then %d by CTAP2, then %d", before, between, after)
			},
		},
		conformance.Case{
			ID: "u2f.ctap2.not-held-up", Rule: conformance.OfU2F("3.3"), Needs: both, Hands: conformance.Touch | conformance.Wait,
			Why: "a U2F request that waits for a touch does not keep CTAP2 from being answered",
			Run: func(r *conformance.Run) {
				r.Plan(conformance.Wait)
				r.SendU2F(registering(r.Bytes(32), r.Bytes(32)).Bytes()).Want(swTouch)
				r.Send(ctap.GetInfo, nil).OK()
			},
		},
		protected(), alwaysUV(),
	)
}

// asCredential is a U2F credential as CTAP2 sees it.
func asCredential(c *registered, rpID string) *conformance.Credential {
	return &conformance.Credential{RPID: rpID, ID: c.handle, PublicKey: cose.MarshalP256(cose.ES256, c.public), Algorithm: cose.ES256}
}

// protected is about a credential of userVerificationRequired, which U2F cannot
// verify the user for.
func protected() conformance.Case {
	return conformance.Case{
		ID: "u2f.protected", Rule: conformance.Since21("12.1"), Hands: conformance.Touch,
		Why:   "a credential of userVerificationRequired does not sign over U2F",
		Needs: []conformance.Need{conformance.SpeaksU2F(), conformance.Extension("credProtect"), conformance.Algorithm(cose.ES256)},
		Run: func(r *conformance.Run) {
			m := r.CreateParams().With(4, []conformance.S{{"type": ctap.PublicKeyCredential, "alg": int(cose.ES256)}})
			c := r.Create(m.With(6, conformance.S{"credProtect": 3}))
			if len(c.ID) > 255 {
				return // no key handle can be so long
			}
			app := application(conformance.RPID)
			r.SendU2F(signing(r, checkOnly, app, c.ID).Bytes()).Want(swData)
			for _, control := range []byte{enforce, dontAsk} {
				reply := r.SendU2FTouched(signing(r, control, app, c.ID))
				r.Require(reply.SW != swOK, "it signs, with the control byte 0x%02X", control)
			}
		},
	}
}

// alwaysUV is about U2F while the user must always be verified.
func alwaysUV() conformance.Case {
	return conformance.Case{
		ID: "u2f.always-uv", Rule: conformance.Since21("7.2"), Start: conformance.WithPIN, Destructive: true, Hands: conformance.Touch,
		Why: "while alwaysUv is on, U2F registers and signs nothing, because it does not verify the user",
		Needs: []conformance.Need{
			conformance.SpeaksU2F(), conformance.Option("authnrCfg"), conformance.HasOption("alwaysUv"), conformance.NoOption("alwaysUv"), conformance.NoOption("uv"),
		},
		Run: func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			t := r.Token(ctap.PermAuthenticatorCfg, "")
			message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.Config), byte(ctap.ToggleAlwaysUV))
			r.Send(ctap.Config, conformance.M{1: ctap.ToggleAlwaysUV, 3: t.Number(), 4: t.MAC(message)}).OK()
			r.Check(!slices.Contains(r.FreshInfo().Versions, "U2F_V2"), "versions still has U2F_V2")
			for _, apdu := range []conformance.APDU{
				registering(r.Bytes(32), r.Bytes(32)), signing(r, enforce, c.application, c.handle),
				signing(r, dontAsk, c.application, c.handle),
			} {
				reply := r.SendU2FTouched(apdu)
				if reply.Wire != hid.ErrInvalidCmd {
					reply.Want(swForbid, swNoINS)
				}
			}
		},
	}
}
