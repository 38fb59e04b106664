package forged

import (
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// What relying parties lose, where several forgeries share it.
const (
	losesModel    = "any software can claim to be this model"
	losesTime     = "a key whose certificate has run out, or was taken back, is trusted for good"
	losesBinding  = "a statement made for another ceremony or credential is taken for this one"
	losesPath     = "whoever holds some certificate of the authority can issue more in its name"
	losesForm     = "what is not checked can carry what another reader takes for something else"
	losesIdentity = "the certificate does not say who answers for the authenticator"
)

const (
	path     = "WebAuthn 7.1 step 24, RFC 5280 section 6.1"
	leafForm = "WebAuthn 8.2.1"
)

var (
	oidSerialNumber = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 2}
	oidAAGUID       = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}
)

func packedForgery(name, section, wrong, loses string, a alteration) Forgery {
	return Forgery{Name: "packed-" + name, Format: attestation.FormatPacked, Section: section, Wrong: wrong, Loses: loses, alter: a}
}

// packedChain holds what is wrong with the chain of certificates.
func packedChain() []Forgery {
	return []Forgery{
		packedForgery("expired", path, "the certificate has expired", losesTime, alteration{leaf: expired}),
		packedForgery("not-yet-valid", path, "the certificate is not valid yet", losesTime, alteration{leaf: notYetValid}),
		packedForgery("another-root", path, "the chain leads to another root of the same name", losesModel, alteration{issue: anotherRoot}),
		packedForgery("self-signed", path, "the certificate is signed by its own key", losesModel, alteration{issue: selfSigned}),
		packedForgery("missing-intermediate", path, "the certificate between leaf and root is left out", losesModel,
			alteration{chain: func(_ *press, x5c [][]byte) [][]byte { return x5c[:1] }}),
		packedForgery("leaf-last", "WebAuthn 8.2", "x5c begins with the authority's certificate and ends with the leaf", losesForm,
			alteration{chain: func(_ *press, x5c [][]byte) [][]byte { slices.Reverse(x5c); return x5c }}),
		packedForgery("chain-out-of-order", path, "the root stands between the leaf and its issuer", losesForm,
			alteration{chain: func(p *press, x5c [][]byte) [][]byte { return [][]byte{x5c[0], p.root.Root().Raw, x5c[1]} }}),
		packedForgery("intermediate-expired", path, "the intermediate certificate has expired", losesTime, alteration{issue: intermediate(expired)}),
		packedForgery("intermediate-not-ca", path, "the intermediate certificate is not an authority's", losesPath,
			alteration{issue: intermediate(func(c *x509.Certificate) { c.IsCA = false; c.KeyUsage = x509.KeyUsageDigitalSignature })}),
		packedForgery("path-too-long", path, "there is an authority below one whose path length is 0", losesPath, alteration{issue: pathTooLong}),
		packedForgery("unknown-critical-extension", path, "the certificate has a critical extension that nobody knows", losesForm,
			alteration{leaf: func(c *x509.Certificate) {
				c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55555, 1}, Critical: true, Value: []byte{5, 0}})
			}}),
		packedForgery("certificate-bytes-left-over", "WebAuthn 8.2", "a byte follows the certificate in x5c", losesForm,
			alteration{der: func(_ *press, _ issuer, der []byte) []byte { return append(der, 0) }}),
	}
}

func expired(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) }

func notYetValid(c *x509.Certificate) { c.NotBefore = c.NotAfter.Add(-time.Minute) }

// packedCertificate holds what is wrong with the leaf (sections 8.2.1 and 8.2.2).
func packedCertificate() []Forgery {
	subject := func(name, wrong string, change func(*pkix.Name)) Forgery {
		return packedForgery(name, leafForm, wrong, losesIdentity, alteration{leaf: func(c *x509.Certificate) { change(&c.Subject) }})
	}
	aaguid := func(name, section, wrong, loses string, change func(*pkix.Extension)) Forgery {
		return packedForgery(name, section, wrong, loses, alteration{leaf: func(c *x509.Certificate) { change(&c.ExtraExtensions[0]) }})
	}
	serial := func(name, wrong string, e pkix.Extension) Forgery {
		return packedForgery(name, "WebAuthn 8.2.2", wrong, losesForm, alteration{leaf: func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, e) }})
	}
	return []Forgery{
		packedForgery("version-1", leafForm, "the certificate is of X.509 version 1, without extensions", losesForm, alteration{der: versionOne}),
		packedForgery("ca-flag", leafForm, "the certificate says that it is an authority's", losesPath,
			alteration{leaf: func(c *x509.Certificate) { c.IsCA = true; c.KeyUsage |= x509.KeyUsageCertSign }}),
		packedForgery("no-basic-constraints", leafForm, "the certificate does not say whether it is an authority's", losesPath,
			alteration{leaf: func(c *x509.Certificate) { c.BasicConstraintsValid = false }}),
		subject("wrong-ou", "the subject's OU is another than Authenticator Attestation", func(n *pkix.Name) { n.OrganizationalUnit = []string{"Authenticator Testing"} }),
		subject("no-country", "the subject has no country", func(n *pkix.Name) { n.Country = nil }),
		subject("unknown-country", "the subject's country is no code of ISO 3166", func(n *pkix.Name) { n.Country = []string{"Zz9"} }),
		subject("no-organization", "the subject has no organization", func(n *pkix.Name) { n.Organization = nil }),
		subject("no-common-name", "the subject has no common name", func(n *pkix.Name) { n.CommonName = "" }),
		aaguid("wrong-aaguid-extension", "WebAuthn 8.2", "the AAGUID in the certificate is another than the authenticator's",
			"a certified model of one kind passes for another", func(e *pkix.Extension) { e.Value[len(e.Value)-1] ^= 1 }),
		aaguid("aaguid-extension-critical", leafForm, "the AAGUID extension is critical", losesForm, func(e *pkix.Extension) { e.Critical = true }),
		aaguid("aaguid-not-wrapped", leafForm, "the AAGUID extension holds 16 bytes without their octet string", losesForm,
			func(e *pkix.Extension) { e.Value = e.Value[2:] }),
		serial("serial-extension-critical", "the serial number extension is critical", pkix.Extension{Id: oidSerialNumber, Critical: true, Value: []byte{asn1.TagOctetString, 1, 7}}),
		serial("serial-not-wrapped", "the serial number extension holds a byte without its octet string", pkix.Extension{Id: oidSerialNumber, Value: []byte{7}}),
		aaguid("aaguid-bytes-left-over", leafForm, "a byte follows the AAGUID in its extension", losesForm, func(e *pkix.Extension) { e.Value = append(e.Value, 0) }),
	}
}

// packedStatement holds what is wrong with statement and signature (section 8.2).
func packedStatement() []Forgery {
	statement := func(name, wrong, loses string, a alteration) Forgery {
		return packedForgery(name, "WebAuthn 8.2", wrong, loses, a)
	}
	return []Forgery{
		statement("wrong-challenge", "the signature is over another client data hash", losesBinding, alteration{signed: flipLast}),
		statement("wrong-auth-data", "the signature is over other authenticator data", losesBinding, alteration{signed: flipFirst}),
		statement("another-key", "another key than the certificate's made the signature", losesModel, alteration{signer: stranger}),
		statement("signature-bytes-left-over", "a byte follows the signature", losesForm, alteration{signature: leftOver}),
		statement("alg-mismatch", "alg is another than what the certificate's key signed with", losesForm, alteration{members: set("alg", int(cose.ES384))}),
		statement("alg-unknown", "alg is an algorithm that nobody has registered", losesForm, alteration{members: set("alg", -70001)}),
		statement("alg-missing", "alg is left out", losesForm, alteration{members: remove("alg")}),
		statement("sig-missing", "sig is left out", losesModel, alteration{members: remove("sig")}),
		statement("x5c-empty", "x5c is there and empty", losesModel, alteration{members: set("x5c", [][]byte{})}),
		statement("extra-member", "the statement has a member that the format does not know", losesForm, alteration{members: set("note", "forged")}),
		statement("ecdaa", "x5c makes room for ecdaaKeyId, which is no longer a form of attestation", losesModel,
			alteration{members: func(_ *press, m map[string]any) { delete(m, "x5c"); m["ecdaaKeyId"] = []byte{1} }}),
	}
}

// packedSelf holds what is wrong with self attestation (section 8.2).
func packedSelf() []Forgery {
	self := func(name, wrong, loses string, a alteration) Forgery {
		a.self = true
		return packedForgery("self-"+name, "WebAuthn 8.2", wrong, loses, a)
	}
	const owner = "a public key is registered for which nobody proved to have the private one"
	return []Forgery{
		self("alg-mismatch", "alg is another than that of the credential's key", losesForm, alteration{members: set("alg", int(cose.RS256))}),
		self("wrong-challenge", "the signature is over another client data hash", losesBinding, alteration{signed: flipLast}),
		self("another-key", "another key than the credential's made the signature", owner, alteration{signer: stranger}),
		self("extra-member", "the statement has a member that the format does not know", losesForm, alteration{members: set("note", "forged")}),
	}
}

// flipLast changes what is last in a message: the client data hash.
func flipLast(b []byte) []byte {
	b = slices.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// flipFirst changes what is first in a message: the hash of the RP ID.
func flipFirst(b []byte) []byte {
	b = slices.Clone(b)
	b[0] ^= 1
	return b
}

func leftOver(b []byte) []byte { return append(slices.Clone(b), 0) }

// stranger is a key that nothing certifies.
func stranger(p *press) *ecdsa.PrivateKey { return p.root.Key("stranger") }

func set(member string, value any) func(*press, map[string]any) {
	return func(_ *press, m map[string]any) { m[member] = value }
}

func remove(member string) func(*press, map[string]any) {
	return func(_ *press, m map[string]any) { delete(m, member) }
}

// forAnother changes the client data hash that a statement speaks of.
func forAnother(r *authenticator.AttestationRequest) { r.ClientDataHash = flipLast(r.ClientDataHash) }
