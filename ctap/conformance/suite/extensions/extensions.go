// Package extensions holds the conformance cases about extensions (section 12), a
// group for each.
package extensions

import (
	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Groups returns the groups, in the order of section 12.
func Groups() []conformance.Group {
	return []conformance.Group{
		{Name: "credprotect", Title: "Extension credProtect", Cases: credProtect()},
		{Name: "credblob", Title: "Extension credBlob", Cases: credBlob()},
		{Name: "largeblobkey", Title: "Extension largeBlobKey", Cases: largeBlobKey()},
		{Name: "largeblob", Title: "Extension largeBlob", Cases: largeBlob()},
		{Name: "minpinlength", Title: "Extension minPinLength", Cases: minPINLength()},
		{Name: "pincomplexity", Title: "Extension pinComplexityPolicy", Cases: pinComplexity()},
		{Name: "hmacsecret", Title: "Extension hmac-secret", Cases: hmacSecret()},
		{Name: "hmacsecretmc", Title: "Extension hmac-secret-mc", Cases: hmacSecretMC()},
		{Name: "payment", Title: "Extension thirdPartyPayment", Cases: payment()},
		{Name: "uvm", Title: "Extension uvm", Cases: uvm()},
	}
}

type (
	run = conformance.Run
	m   = conformance.M
	s   = conformance.S
)

// of makes the cases of an extension: they need it, and the user touches when asked.
func of(extension string, rule conformance.Rule, cases ...conformance.Case) []conformance.Case {
	return conformance.Each(cases, func(c conformance.Case) conformance.Case {
		c.Needs = append([]conformance.Need{conformance.Extension(extension)}, c.Needs...)
		c.Rule, c.Hands = rule, c.Hands|conformance.Touch
		return c
	})
}

// once is a case that leaves nothing behind.
func once(id, why string, do func(r *run)) conformance.Case {
	return conformance.Case{ID: id, Why: why, Start: conformance.Usable, Run: do}
}

// stored is a case with discoverable credentials.
func stored(id, why string, do func(r *run)) conformance.Case {
	return conformance.Leaving(conformance.Needing(once(id, why, do), conformance.Option("rk")))
}

// replugged has the power cut in a case.
func replugged(c conformance.Case) conformance.Case {
	c.Hands |= conformance.Replug
	return c
}

// asking are parameters that make a credential which is not discoverable, with
// extensions.
func asking(r *run, inputs s) m { return r.CreateParams().With(6, inputs) }

// askingPasskey are parameters that make a discoverable credential at a relying party
// of its own, with extensions.
func askingPasskey(r *run, inputs s) m { return r.PasskeyParams(r.NewSite(), "alice").With(6, inputs) }

// create sends authenticatorMakeCredential, authorised as the authenticator needs it.
func create(r *run, params m) *conformance.Reply {
	return r.Send(ctap.MakeCredential, r.Authorise(ctap.MakeCredential, params))
}

// get sends authenticatorGetAssertion for a credential with extensions, authorised as
// the authenticator needs it.
func get(r *run, c *conformance.Credential, inputs s) *conformance.Reply {
	return r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, r.AssertParams(c).With(4, inputs)))
}

// use asserts with a credential and extensions, and returns their outputs.
func use(r *run, c *conformance.Credential, inputs s) map[string]cbor.RawMessage {
	return r.Outputs(r.Assert(r.AssertParams(c).With(4, inputs), c).Data)
}

// unverified asserts with a credential and extensions, without user verification.
func unverified(r *run, c *conformance.Credential, inputs s) *conformance.Assertion {
	params := r.AssertParams(c)
	if inputs != nil {
		params = params.With(4, inputs)
	}
	return r.ReadAssertion(params, r.Send(ctap.GetAssertion, params), c)
}

// verified asserts with a credential and extensions, by a token.
func verified(r *run, c *conformance.Credential, inputs s) *conformance.Assertion {
	t := r.Token(ctap.PermGetAssertion, c.RPID)
	return r.Assert(r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c).With(4, inputs)), c)
}

// output reads an extension output into v; the case fails when it is not there or of
// another type.
func output(r *run, outputs map[string]cbor.RawMessage, id string, v any) {
	raw := outputs[id]
	r.Require(raw != nil, "%s is not answered", id)
	r.Require(ctap.DecodeLoose(raw, v) == nil, "the output of %s is %x, of another type", id, []byte(raw))
}

// absent checks that an extension is not answered.
func absent(r *run, outputs map[string]cbor.RawMessage, id string) {
	raw, there := outputs[id]
	r.Check(!there, "%s is answered with %x", id, []byte(raw))
}

// wrongTypes makes a case that sends an extension of authenticatorMakeCredential with
// each of these inputs, none of which is of its type.
func wrongTypes(id, extension string, inputs ...any) conformance.Case {
	return once(id, "an input of a wrong type is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(r *run) {
		for _, input := range inputs {
			r.Doing("with %v", input)
			create(r, asking(r, s{extension: input})).Tolerate(conformance.TypeAsOthers, ignores).Want(ctap.ErrCBORUnexpectedType)
		}
	})
}

// ignores is what authenticators do that take an extension of a wrong type for one
// that was not asked for.
var ignores = conformance.Deviates("shipping keys ignore an extension whose input they cannot read", ctap.OK, ctap.ErrInvalidOption)

// bothWays has a case begin with a PIN, so that one credential can be used with and without user
// verification.
func bothWays(c conformance.Case) conformance.Case {
	return conformance.StartWithPIN(conformance.Needing(c, conformance.NoOption("alwaysUv")))
}
