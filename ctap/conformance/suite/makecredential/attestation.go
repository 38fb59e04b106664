package makecredential

import (
	"bytes"
	"slices"

	"fido-emu/attestation"
	"fido-emu/ctap/conformance"
)

const attesting = "6.1.2 step 19"

// verify verifies the attestation statement of a credential.
func verify(r *run, c *conformance.Credential) attestation.Result {
	result, err := attestation.Verify(c.Response.Format, c.Response.AttStmt, c.Response.AuthData, c.Hash)
	r.Require(err == nil, "attestation statement %s: %v", c.Response.Format, err)
	return result
}

// attestations is about the attestation statement.
func attestations() []conformance.Case {
	preferring := func(r *run, formats ...string) *conformance.Credential {
		return r.Create(r.CreateParams().With(11, formats))
	}
	return conformance.One(
		once("attestation.members", attesting, "an answer has fmt, authData and attStmt, and nothing that was not asked for", func(r *run) {
			reply := attempt(r, r.CreateParams()).OK()
			for _, key := range []int{1, 2, 3} {
				reply.Member(key)
			}
			reply.Only(1, 2, 3, 4).Without(5, 6)
		}),
		once("attestation.verifies", attesting, "the attestation statement verifies over authData and clientDataHash", func(r *run) {
			verify(r, r.NewCredential())
		}),
		once("attestation.each-algorithm", attesting, "the attestation statement verifies for every algorithm", func(r *run) {
			for _, a := range r.Algorithms() {
				r.Doing("for %s", a)
				verify(r, r.Create(r.CreateParams().With(4, []s{offer(a)})))
			}
		}),
		conformance.Needing(once("attestation.formats", attesting, "the format is none or one that attestationFormats lists", func(r *run) {
			format := r.NewCredential().Response.Format
			r.Check(format == attestation.FormatNone || slices.Contains(r.Info().AttestationFormats, format),
				"fmt is %s, attestationFormats %q", format, r.Info().AttestationFormats)
		}), conformance.Member(0x16)),
		conformance.Needing(once("attestation.none", attesting, "a platform that prefers none alone is not attested to", func(r *run) {
			c := preferring(r, attestation.FormatNone)
			if c.Response.Format != attestation.FormatNone {
				r.Tolerate("omitting the attestation is left to the authenticator", "fmt is %s", c.Response.Format)
			}
			verify(r, c)
			r.Check(c.Response.Format != attestation.FormatNone || bytes.Equal(c.Response.AttStmt, []byte{0xA0}), "attStmt of none is %x", []byte(c.Response.AttStmt))
		}), conformance.Member(0x16)),
		conformance.Needing(once("attestation.preference", attesting, "of the formats that a platform prefers one that is there is taken", func(r *run) {
			for _, format := range r.Info().AttestationFormats {
				r.Doing("preferring %s", format)
				c := preferring(r, "a format of a later edition", format)
				conformance.Equal(r, "fmt", c.Response.Format, format)
				verify(r, c)
			}
		}), conformance.Member(0x16)),
		conformance.Needing(once("attestation.unknown-preference", attesting, "formats that nobody knows are no reason to refuse", func(r *run) {
			verify(r, preferring(r, "a format of a later edition"))
		}), conformance.Member(0x16)),
	)
}
