package clientpin

import (
	"crypto/sha256"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

const otherRP = "other.conformance.example"

// bound is about the relying party and the permissions of a token.
func bound() []conformance.Case {
	withPIN := func(id string, rule conformance.Rule, why string, run func(r *conformance.Run), more ...conformance.Need) conformance.Case {
		return conformance.Case{
			ID: "clientpin.token." + id, Rule: rule, Start: conformance.WithPIN, Hands: conformance.Touch | conformance.Wait,
			Needs: append(more, tokensByPIN...), Why: why, Run: run,
		}
	}
	makeWith := func(r *conformance.Run, t *conformance.Token, rpID string) *conformance.Reply {
		return r.Send(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, createAt(r, rpID)))
	}
	return conformance.One(
		withPIN("rp.make", conformance.Since21("6.1.2"), "a token of one relying party makes no credential for another", func(r *conformance.Run) {
			makeWith(r, r.Token(ctap.PermMakeCredential, tokenRP), otherRP).Want(ctap.ErrPINAuthInvalid)
		}),
		withPIN("rp.get", conformance.Since21("6.2.2"), "a token of one relying party does not sign in at another", func(r *conformance.Run) {
			t := r.Token(ctap.PermGetAssertion, tokenRP)
			use(r, t, otherRP).Want(ctap.ErrPINAuthInvalid)
			live(r, t, tokenRP)
		}),
		withPIN("permission.make", conformance.Since21("6.1.2"), "a token without mc makes no credential", func(r *conformance.Run) {
			makeWith(r, r.Token(ctap.PermGetAssertion, tokenRP), tokenRP).Want(ctap.ErrPINAuthInvalid)
		}),
		withPIN("permission.get", conformance.Since21("6.2.2"), "a token without ga does not sign in", func(r *conformance.Run) {
			use(r, r.Token(ctap.PermMakeCredential, tokenRP), tokenRP).Want(ctap.ErrPINAuthInvalid)
		}),
		withPIN("binds.make", conformance.Since21("6.1.2"), "a token without a relying party is bound to the first that it verifies for, also when the user then does not touch", func(r *conformance.Run) {
			t := legacyToken(r)
			r.Plan(conformance.Wait)
			r.SendCancelled(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, createAt(r, tokenRP))).Want(ctap.ErrKeepaliveCancel)
			r.Plan(conformance.Touch)
			use(r, t, otherRP).Want(ctap.ErrPINAuthInvalid)
			live(r, t, tokenRP)
		}),
		withPIN("binds.get", conformance.Since21("6.2.2"), "a token without a relying party is bound to the first that it signs in at", func(r *conformance.Run) {
			t := legacyToken(r)
			live(r, t, tokenRP)
			use(r, t, otherRP).Want(ctap.ErrPINAuthInvalid)
			live(r, t, tokenRP)
		}),
		withPIN("protocol", conformance.Since21("6.5.2.1"), "a token of one protocol is none of another", func(r *conformance.Run) {
			t := r.TokenOf(pinuv.Two, ctap.PermGetAssertion, tokenRP)
			t.Protocol = pinuv.One
			use(r, t, tokenRP).Want(ctap.ErrPINAuthInvalid)
		}, conformance.Protocol(1), conformance.Protocol(2)),
	)
}

// legacyToken gets a token of getPinToken, which is bound to no relying party yet.
func legacyToken(r *conformance.Run) *conformance.Token {
	s := r.Agree(r.Protocol())
	return s.ReadToken(r.Send(ctap.ClientPIN, s.GetPinTokenParams(r.PIN())))
}

// spent is about what a touch uses up of a token (sections 6.1.2 step 14 and 6.2.2
// step 9): the user's verification, and all permissions but lbw.
func spent() []conformance.Case {
	needs := []conformance.Need{conformance.CanToken(), conformance.NoOption(noMcGa)}
	withPIN := func(id, section, why string, run func(r *conformance.Run), more ...conformance.Need) conformance.Case {
		return conformance.Case{
			ID: "clientpin.token.spent." + id, Rule: conformance.Since21(section), Start: conformance.WithPIN, Hands: conformance.Touch,
			Needs: append(more, needs...), Why: why, Run: run,
		}
	}
	twice := func(r *conformance.Run, t *conformance.Token) {
		m := createAt(r, tokenRP)
		r.ReadCredential(m, r.Send(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, m)))
		again := r.AuthoriseWith(t, ctap.MakeCredential, createAt(r, tokenRP))
		r.Send(ctap.MakeCredential, again).Want(ctap.ErrPINAuthInvalid)
		use(r, t, tokenRP).Want(ctap.ErrPINAuthInvalid)
	}
	both := ctap.PermMakeCredential | ctap.PermGetAssertion
	hash := sha256.Sum256([]byte(tokenRP))
	byUV := withPIN("make.by-uv", "6.1.2", "a touch uses up a token that built-in user verification gave", func(r *conformance.Run) {
		s := r.Agree(r.Protocol())
		twice(r, s.ReadToken(r.Send(ctap.ClientPIN, s.TokenUsingUVParams(both, tokenRP))))
	}, conformance.Option("uv"))
	byUV.Start = conformance.Any
	return conformance.One(
		withPIN("make", "6.1.2", "a credential that is made uses up the token: it makes no other, and does not sign in", func(r *conformance.Run) {
			twice(r, r.Token(both, tokenRP))
		}),
		withPIN("get", "6.2.2", "an assertion with a touch uses up the token", func(r *conformance.Run) {
			c := r.Create(createAt(r, tokenRP))
			t := r.Token(both, tokenRP)
			m := r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c))
			r.ReadAssertion(m, r.Send(ctap.GetAssertion, m), c)
			r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c))).Want(ctap.ErrPINAuthInvalid)
		}),
		withPIN("get.silent", "6.2.2", "an assertion without a touch does not use up the token", func(r *conformance.Run) {
			t := r.Token(both, tokenRP)
			for range 3 {
				live(r, t, tokenRP)
			}
		}),
		withPIN("make.cm", "6.1.2", "a credential that is made uses up the token's permission cm, too", func(r *conformance.Run) {
			t := r.Token(both|ctap.PermCredentialMgmt, tokenRP)
			m := createAt(r, tokenRP)
			r.ReadCredential(m, r.Send(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, m)))
			manage(r, t, ctap.EnumerateCredentialsBegin, conformance.M{1: hash[:]}).Want(ctap.ErrPINAuthInvalid)
		}, conformance.Option("credMgmt")),
		byUV,
	)
}
