package reset

import (
	"encoding/hex"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// several makes two passkeys at a relying party and asks for an assertion of either,
// so that an enumeration is under way where there is no display to choose on.
func several(r *conformance.Run) {
	one, two := r.NewPasskey(), r.NewPasskey()
	r.Assert(r.AssertParams(), one, two)
}

// powered is a case about a power cycle.
func powered(id string, rule conformance.Rule, why string, run func(r *conformance.Run), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "reset.power." + id, Rule: rule, Start: conformance.Blank, Destructive: true,
		Hands: conformance.Touch | conformance.Replug, Needs: needs, Why: why, Run: run,
	}
}

// powerEnds is about what a power cycle ends; tokens are in the group clientpin.
func powerEnds() []conformance.Case {
	rk, manage := conformance.Option("rk"), conformance.Option("credMgmt")
	return conformance.One(
		powered("assertions", conformance.Since20("6.3"), "a power cycle ends an enumeration of assertions", func(r *conformance.Run) {
			ready(r)
			several(r)
			r.PowerCycle()
			r.Send(ctap.GetNextAssertion, nil).Want(ctap.ErrNotAllowed)
		}, rk),
		powered("relying-parties", conformance.Since21("6.8.3"), "a power cycle ends an enumeration of relying parties", func(r *conformance.Run) {
			ready(r)
			r.NewPasskey()
			r.Create(r.CreateParams().With(2, conformance.S{"id": "second.conformance.example"}).With(7, conformance.S{"rk": true}))
			t := r.Token(ctap.PermCredentialMgmt, "")
			begin := conformance.M{1: ctap.EnumerateRPsBegin, 3: t.Number(), 4: t.MAC([]byte{byte(ctap.EnumerateRPsBegin)})}
			r.Send(ctap.CredentialManagement, begin).OK()
			r.PowerCycle()
			r.Send(ctap.CredentialManagement, conformance.M{1: ctap.EnumerateRPsNext}).Want(ctap.ErrNotAllowed)
		}, rk, manage, ceremonies),
		powered("large-blobs", conformance.Since21("6.10.2"), "a power cycle ends a large-blob array that comes in fragments; the one before stays", func(r *conformance.Run) {
			ready(r)
			before := hex.EncodeToString(readBlobs(r))
			writeBlobs(r, []byte{0x81, 0xA0}, 4)
			r.PowerCycle()
			conformance.Equal(r, "large-blob array", hex.EncodeToString(readBlobs(r)), before)
			r.Send(ctap.LargeBlobs, conformance.M{2: make([]byte, 4), 3: 14}).Want(ctap.ErrInvalidSeq)
		}, conformance.Option("largeBlobs")),
	)
}

// powerKeeps is about what a power cycle leaves.
func powerKeeps() []conformance.Case {
	return conformance.One(
		powered("passkey", conformance.Since20("6.1.2"), "a power cycle leaves discoverable credentials, which sign in", func(r *conformance.Run) {
			ready(r)
			c := r.NewPasskey()
			r.PowerCycle()
			r.Assert(r.AssertParams(), c)
		}, conformance.Option("rk")),
		powered("sealed", conformance.Since20("6.1.2"), "a power cycle leaves credentials that are not stored, which sign in", func(r *conformance.Run) {
			ready(r)
			c := r.NewCredential()
			r.PowerCycle()
			r.Use(c)
		}),
		powered("counter", conformance.Since20("6.2.2"), "the signature counter goes on after a power cycle", func(r *conformance.Run) {
			ready(r)
			c := r.NewCredential()
			r.Use(c)
			before := r.Use(c).Data.SignCount
			r.PowerCycle()
			after := r.Use(c).Data.SignCount
			r.Require(before == 0 && after == 0 || after > before, "the counter is %d after %d", after, before)
		}),
		powered("pin", conformance.Since20("6.5.5.5"), "a power cycle leaves the PIN", func(r *conformance.Run) {
			r.SetPIN("8264-1739")
			r.PowerCycle()
			r.Require(r.Info().Options["clientPin"], "getInfo says that no PIN is set")
			s := r.Agree(r.Protocol())
			r.Send(ctap.ClientPIN, s.GetPinTokenParams("8264-1739")).OK()
		}, conformance.CanPIN(), ceremonies),
		powered("large-blobs.kept", conformance.Since21("6.10.2"), "a power cycle leaves the large-blob array", func(r *conformance.Run) {
			ready(r)
			writeBlobs(r, []byte{0x81, 0xA0}, 0)
			before := hex.EncodeToString(readBlobs(r))
			r.PowerCycle()
			conformance.Equal(r, "large-blob array", hex.EncodeToString(readBlobs(r)), before)
		}, conformance.Option("largeBlobs")),
		conformance.Case{
			ID: "reset.power.always-uv", Rule: conformance.Since21("6.11.2"), Start: conformance.WithPIN, Destructive: true, Hands: conformance.Replug,
			Needs: []conformance.Need{conformance.Option("authnrCfg"), conformance.HasOption("alwaysUv")},
			Why:   "a power cycle leaves alwaysUv as it was set",
			Run: func(r *conformance.Run) {
				before := r.Info().Options["alwaysUv"]
				configure(r, ctap.ToggleAlwaysUV, nil)
				r.PowerCycle()
				conformance.Equal(r, "alwaysUv", r.Info().Options["alwaysUv"], !before)
			},
		},
	)
}

// selection is authenticatorSelection (section 6.9).
func selection() []conformance.Case {
	selects := func(id, why string, hands conformance.Gesture, run func(r *conformance.Run)) conformance.Case {
		return conformance.Case{
			ID: "reset.selection." + id, Rule: conformance.Since21("6.9"), Hands: conformance.Touch | hands, Why: why, Run: run,
		}
	}
	withToken := selects("token", "authenticatorSelection does not use up a token", 0, func(r *conformance.Run) {
		t := r.Token(ctap.PermMakeCredential, conformance.RPID)
		r.Send(ctap.Selection, nil).OK()
		m := r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams())
		r.ReadCredential(m, r.Send(ctap.MakeCredential, m))
	})
	withToken.Start = conformance.WithPIN
	withToken.Needs = []conformance.Need{conformance.CanToken(), ceremonies}
	return conformance.One(
		selects("touch", "authenticatorSelection asks for a touch, and has no answer but CTAP2_OK", 0, func(r *conformance.Run) {
			r.Send(ctap.Selection, nil).Touched().OK().Empty()
		}),
		selects("declined", "a user who declines is CTAP2_ERR_OPERATION_DENIED", conformance.Deny, func(r *conformance.Run) {
			r.Plan(conformance.Deny)
			r.Send(ctap.Selection, nil).Want(ctap.ErrOperationDenied)
		}),
		selects("timed-out", "a user who does nothing is CTAP2_ERR_USER_ACTION_TIMEOUT", conformance.Ignore, func(r *conformance.Run) {
			r.Plan(conformance.Ignore)
			r.Send(ctap.Selection, nil).Want(ctap.ErrUserActionTimeout)
		}),
		selects("cancelled", "a request that is cancelled is CTAP2_ERR_KEEPALIVE_CANCEL, and the next one asks again", conformance.Wait, func(r *conformance.Run) {
			r.Plan(conformance.Wait)
			r.SendCancelled(ctap.Selection, nil).Want(ctap.ErrKeepaliveCancel)
			r.Plan(conformance.Touch)
			r.Send(ctap.Selection, nil).Touched().OK()
		}),
		withToken,
	)
}
