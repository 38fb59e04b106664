package clientpin

import (
	"bytes"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// persistent is about the persistent token, which only reads (CTAP 2.2, permission
// pcmr).
func persistent() []conformance.Case {
	has := []conformance.Need{conformance.CanPIN(), conformance.Option("perCredMgmtRO"), conformance.Option("credMgmt")}
	base := func(id, section, why string) conformance.Case {
		return conformance.Case{
			ID: "clientpin.persistent." + id, Rule: conformance.Since22(section), Start: conformance.WithPIN, Needs: has, Why: why,
		}
	}
	plain := func(id, section, why string, run func(r *conformance.Run)) conformance.Case {
		c := base(id, section, why)
		c.Run = run
		return c
	}
	reads := func(r *conformance.Run, t *conformance.Token) {
		manage(r, t, ctap.GetCredsMetadata, nil).OK()
	}
	read := ctap.PermCredentialMgmtRead
	combined := func(id string, permissions ctap.Permissions, needs ...conformance.Need) conformance.Case {
		c := plain("combined."+id, "6.5.5.7.2", "pcmr with another permission is CTAP2_ERR_UNAUTHORIZED_PERMISSION", func(r *conformance.Run) {
			r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).TokenUsingPINParams(r.PIN(), read|permissions, tokenRP)).Want(ctap.ErrUnauthorizedPerm)
		})
		c.Needs = append(needs, c.Needs...)
		return c
	}
	powered := plain("power-cycle", "6.5.2.1", "the persistent token goes on after a power cycle", func(r *conformance.Run) {
		t := r.Token(read, "")
		r.PowerCycle()
		reads(r, t)
	})
	powered.Hands = conformance.Replug
	aged := plain("lasts", "6.5.2.1", "the persistent token has no time that ends it", func(r *conformance.Run) {
		t := r.Token(read, "")
		r.Sleep(longest)
		reads(r, t)
	})
	aged.Waits = longest + time.Second
	changed := plain("pin-change", "6.5.5.6", "changing the PIN ends the persistent token, and the next one is another", func(r *conformance.Run) {
		t := r.Token(read, "")
		r.ChangePIN(r.PIN(), fresh)
		manage(r, t, ctap.GetCredsMetadata, nil).Want(ctap.ErrPINAuthInvalid)
		r.Require(!bytes.Equal(r.Token(read, "").Value, t.Value), "the persistent token is the one of before")
	})
	changed.Destructive = true
	return conformance.Join(conformance.BothProtocols(
		base("reads", "6.5.5.7.2", "pcmr alone gives a token that reads"),
		func(r *conformance.Run, p pinuv.Protocol) { reads(r, r.TokenOf(p, read, "")) },
	), conformance.One(
		plain("same", "6.5.2.1", "the persistent token is the same every time, beside all others", func(r *conformance.Run) {
			t := r.Token(read, "")
			r.Token(ctap.PermCredentialMgmt, "")
			r.Require(bytes.Equal(r.Token(read, "").Value, t.Value), "the persistent token is another one")
			reads(r, t)
		}),
		powered, aged, changed,
		combined("cm", ctap.PermCredentialMgmt),
		combined("ga", ctap.PermGetAssertion),
		combined("lbw", ctap.PermLargeBlobWrite, conformance.Option("largeBlobs")),
		plain("no-ceremony", "6.2.2", "the persistent token does not sign in", func(r *conformance.Run) {
			use(r, r.Token(read, ""), tokenRP).Want(ctap.ErrPINAuthInvalid)
		}),
		plain("no-delete", "6.8.5", "the persistent token deletes nothing", func(r *conformance.Run) {
			params := conformance.M{2: conformance.S{"type": ctap.PublicKeyCredential, "id": r.Bytes(32)}}
			manage(r, r.Token(read, ""), ctap.DeleteCredential, params).Want(ctap.ErrPINAuthInvalid)
		}),
	))
}
