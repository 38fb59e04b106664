// Package clientpin holds the conformance cases about authenticatorClientPIN (section
// 6.5): key agreement, the PIN and its tries, tokens and how long they last, built-in
// user verification in the place of the PIN, and the persistent token.
package clientpin

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// Group is the group clientpin.
func Group() conformance.Group {
	return conformance.Group{Name: "clientpin", Title: "Client PIN", Cases: conformance.Join(
		subcommands(), missing(), wrongTypes(),
		agreement(), agreementLife(), strangeKeys(),
		setting(), settingMACs(), lengths(), changing(), changingMACs(),
		tries(), latch(), latchEnds(), blocked(),
		requests(), permissions(), legacy(), legacyPermissions(),
		tokens(), lifetimes(), ended(), bound(), spent(),
		verification(), verificationRefused(), verificationTries(), persistent(),
		minimum(), forced(),
	)}
}

// What many cases need.
var (
	// tokensByPIN is for tokens with permissions for both ceremonies, by the PIN.
	tokensByPIN = []conformance.Need{conformance.CanToken(), conformance.CanPIN(), conformance.NoOption(noMcGa)}
	// ceremoniesByPIN is for tokens of any kind, by the PIN.
	ceremoniesByPIN = []conformance.Need{conformance.CanPIN(), conformance.NoOption(noMcGa)}
)

const noMcGa = "noMcGaPermissionsWithClientPin"

// tokenRP is a relying party that no credential is ever stored for.
const tokenRP = "token.conformance.example"

// asks are the parameters of a request for a token by the PIN, with permissions where
// there are any.
func asks(r *conformance.Run, s *conformance.Secret, pin string) conformance.M {
	if r.Info().Options["pinUvAuthToken"] {
		return s.TokenUsingPINParams(pin, ctap.PermGetAssertion, tokenRP)
	}
	return s.GetPinTokenParams(pin)
}

// enter sends the PIN for a token.
func enter(r *conformance.Run, p pinuv.Protocol, pin string) *conformance.Reply {
	return r.Send(ctap.ClientPIN, asks(r, r.Agree(p), pin))
}

// use uses a token for an assertion in silence, of which nothing comes but that there
// is no credential: the token is not spent.
func use(r *conformance.Run, t *conformance.Token, rpID string) *conformance.Reply {
	m := conformance.M{1: rpID, 2: r.Bytes(32), 5: conformance.S{"up": false}}
	return r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, m))
}

// live checks that a token with ga can be used at a relying party.
func live(r *conformance.Run, t *conformance.Token, rpID string) {
	use(r, t, rpID).Want(ctap.ErrNoCredentials)
}

// expired is how authenticators of CTAP 2.0 may say that a token is no more.
var expired = conformance.Deviates("CTAP 2.0 has CTAP2_ERR_PIN_TOKEN_EXPIRED", ctap.ErrPINTokenExpired)

// dead checks that a token cannot be used, in silence or with a touch.
func dead(r *conformance.Run, t *conformance.Token, rpID string) {
	use(r, t, rpID).Tolerate(expired).Want(ctap.ErrPINAuthInvalid)
	r.Send(ctap.MakeCredential, r.AuthoriseWith(t, ctap.MakeCredential, createAt(r, rpID))).Tolerate(expired).Want(ctap.ErrPINAuthInvalid)
}

// createAt are parameters to make a credential at a relying party.
func createAt(r *conformance.Run, rpID string) conformance.M {
	return r.CreateParams().With(2, conformance.S{"id": rpID, "name": "Conformance"})
}

// manage sends authenticatorCredentialManagement with a token.
func manage(r *conformance.Run, t *conformance.Token, sub uint, params any) *conformance.Reply {
	m, message := conformance.M{1: sub, 3: t.Number()}, []byte{byte(sub)}
	if params != nil {
		encoded := r.Encode(params)
		m, message = m.With(2, params), append(message, encoded...)
	}
	return r.Send(ctap.CredentialManagement, m.With(4, t.MAC(message)))
}

// configure sends authenticatorConfig with a token.
func configure(r *conformance.Run, t *conformance.Token, sub uint, params any) *conformance.Reply {
	m := conformance.M{1: sub, 3: t.Number()}
	message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.Config), byte(sub))
	if params != nil {
		m, message = m.With(2, params), append(message, r.Encode(params)...)
	}
	return r.Send(ctap.Config, m.With(4, t.MAC(message)))
}

// digits are some that no policy about simple PINs refuses.
const digits = "739146280517394628051739462805173946280517394628051739462805173946"

// fresh is another PIN than the one that is set.
const fresh = "8264-1739"
