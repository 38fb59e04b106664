package forged

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"

	"fido-emu/attestation"
	"fido-emu/ctap/cose"
)

// u2f holds what is wrong with a fido-u2f statement (section 8.6).
func u2f() []Forgery {
	forgery := func(name, section, wrong, loses string, a alteration) Forgery {
		return Forgery{Name: "u2f-" + name, Format: attestation.FormatU2F, Section: section, Wrong: wrong, Loses: loses, NoAAGUID: true, alter: a}
	}
	u2f := func(name, wrong, loses string, a alteration) Forgery {
		return forgery(name, "WebAuthn 8.6", wrong, loses, a)
	}
	all := []Forgery{
		forgery("aaguid", "CTAP 2.3, section 10.2", "the credential has an AAGUID, which U2F has not", "an AAGUID that nothing vouches for names the model", alteration{}),
		u2f("two-certificates", "x5c has two certificates", losesForm,
			alteration{chain: func(p *press, x5c [][]byte) [][]byte { return append(x5c, p.root.Root().Raw) }}),
		u2f("x5c-empty", "x5c is there and empty", losesModel, alteration{members: set("x5c", [][]byte{})}),
		u2f("not-p256", "the certificate's key is on P-384", losesForm, alteration{subject: onP384, signer: onP384}),
		u2f("wrong-challenge", "the signature is over another client data hash", losesBinding, alteration{signed: flipAt(1 + 32)}),
		u2f("wrong-rp", "the signature is for another relying party", losesBinding, alteration{signed: flipAt(1)}),
		u2f("wrong-key", "the signature is over another public key", losesBinding, alteration{signed: flipLast}),
		u2f("no-reserved-byte", "the signature is over the message without its first byte, 0x00", losesForm, alteration{signed: func(b []byte) []byte { return b[1:] }}),
		u2f("another-key", "another key than the certificate's made the signature", losesModel, alteration{signer: stranger}),
		u2f("extra-member", "the statement has a member that the format does not know", losesForm, alteration{members: set("alg", int(cose.ES256))}),
		forgery("expired", path, "the certificate has expired", losesTime, alteration{leaf: expired}),
		forgery("another-root", path, "the certificate is by another root of the same name", losesModel, alteration{issue: anotherRootItself}),
	}
	all[0].NoAAGUID = false
	return all
}

func flipAt(offset int) func([]byte) []byte {
	return func(b []byte) []byte {
		b = slices.Clone(b)
		b[offset] ^= 1
		return b
	}
}

// onP384 is a key on another curve than U2F's, with the scalar of one of the root's
// keys: every scalar of P-256 is one of P-384. Were it not, the forgery would be none,
// which a test would tell.
func onP384(p *press) *ecdsa.PrivateKey {
	small := p.root.Key("forged P-384 key")
	scalar, err := small.Bytes()
	if err != nil {
		return small
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), append(make([]byte, 16), scalar...))
	if err != nil {
		return small
	}
	return key
}

// androidKey holds what is wrong with an android-key statement (section 8.4).
func androidKey() []Forgery {
	forgery := func(name, section, wrong, loses string, a alteration) Forgery {
		return Forgery{Name: "android-" + name, Format: attestation.FormatAndroidKey, Section: section, Wrong: wrong, Loses: loses, alter: a}
	}
	android := func(name, wrong, loses string, a alteration) Forgery {
		return forgery(name, "WebAuthn 8.4", wrong, loses, a)
	}
	described := func(name, wrong, loses string, change func(*attestation.KeyDescription)) Forgery {
		return android(name, wrong, loses, alteration{description: func(_ *press, d *attestation.KeyDescription) { change(d) }})
	}
	const losesStore = "a key that was outside the key store passes for one that never was"
	const losesScope = "a key that every app of the phone may use passes for one of this relying party"
	return []Forgery{
		described("challenge", "attestationChallenge is another than the client data hash", losesBinding, func(d *attestation.KeyDescription) { d.Challenge = flipLast(d.Challenge) }),
		described("all-applications", "allApplications is in teeEnforced", losesScope, func(d *attestation.KeyDescription) { d.Hardware.AllApplications = true }),
		described("all-applications-in-software", "allApplications is in softwareEnforced", losesScope, func(d *attestation.KeyDescription) { d.Software.AllApplications = true }),
		described("origin", "origin says that the key was imported", losesStore, func(d *attestation.KeyDescription) { d.Hardware.Origin = []int{attestation.OriginImported} }),
		described("origin-missing", "neither list says where the key is from", losesStore, func(d *attestation.KeyDescription) { d.Hardware.Origin = nil }),
		described("purpose", "purpose is verifying, not signing", losesForm, func(d *attestation.KeyDescription) { d.Hardware.Purpose = []int{attestation.PurposeVerify} }),
		described("purpose-missing", "neither list says what the key is for", losesForm, func(d *attestation.KeyDescription) { d.Hardware.Purpose = nil }),
		android("description-missing", "the certificate has no key description", losesStore, alteration{leaf: func(c *x509.Certificate) { c.ExtraExtensions = nil }}),
		android("description-bytes-left-over", "a byte follows the key description", losesForm,
			alteration{leaf: func(c *x509.Certificate) { c.ExtraExtensions[0].Value = leftOver(c.ExtraExtensions[0].Value) }}),
		android("another-key", "the certificate is for another key than the credential's, and that key signed", losesStore, alteration{subject: stranger, signer: stranger}),
		android("wrong-challenge", "the signature is over another client data hash", losesBinding, alteration{signed: flipLast}),
		android("wrong-auth-data", "the signature is over other authenticator data", losesBinding, alteration{signed: flipFirst}),
		android("x5c-empty", "x5c is there and empty", losesStore, alteration{members: set("x5c", [][]byte{})}),
		android("extra-member", "the statement has a member that the format does not know", losesForm, alteration{members: set("note", "forged")}),
		forgery("expired", path, "the certificate has expired", losesTime, alteration{leaf: expired}),
		forgery("another-root", path, "the chain leads to another root of the same name", losesModel, alteration{issue: anotherRoot}),
	}
}

// apple holds what is wrong with an apple statement (section 8.8).
func apple() []Forgery {
	forgery := func(name, section, wrong, loses string, a alteration) Forgery {
		return Forgery{Name: "apple-" + name, Format: attestation.FormatApple, Section: section, Wrong: wrong, Loses: loses, alter: a}
	}
	apple := func(name, wrong, loses string, a alteration) Forgery {
		return forgery(name, "WebAuthn 8.8", wrong, loses, a)
	}
	extension := func(name, wrong string, change func(*[]pkix.Extension)) Forgery {
		return apple(name, wrong, losesBinding, alteration{leaf: func(c *x509.Certificate) { change(&c.ExtraExtensions) }})
	}
	return []Forgery{
		apple("nonce", "the nonce is of another client data hash", losesBinding, alteration{nonce: forAnother}),
		extension("nonce-missing", "the certificate has no nonce", func(e *[]pkix.Extension) { *e = nil }),
		extension("nonce-bytes-left-over", "a byte follows the nonce", func(e *[]pkix.Extension) { (*e)[0].Value = leftOver((*e)[0].Value) }),
		apple("another-key", "the certificate is for another key than the credential's", "a key that no enclave holds passes for one that does", alteration{subject: stranger}),
		apple("x5c-empty", "x5c is there and empty", losesModel, alteration{members: set("x5c", [][]byte{})}),
		apple("extra-member", "the statement has a member that the format does not know", losesForm, alteration{members: set("sig", []byte{1})}),
		forgery("expired", path, "the certificate has expired", losesTime, alteration{leaf: expired}),
		forgery("another-root", path, "the chain leads to another root of the same name", losesModel, alteration{issue: anotherRoot}),
	}
}

// compound holds what is wrong with a compound statement (section 8.9).
func compound() []Forgery {
	forgery := func(name, wrong, loses string, change func(p *press, members []any) ([]any, error)) Forgery {
		raw := func(p *press, statement any) (any, error) {
			members, _ := statement.([]any)
			return change(p, members)
		}
		return Forgery{Name: "compound-" + name, Format: attestation.FormatCompound, Section: "WebAuthn 8.9", Wrong: wrong, Loses: loses, alter: alteration{raw: raw}}
	}
	const losesWeakest = "one bad statement hides behind a good one"
	return []Forgery{
		forgery("last-bad", "the last member does not verify", losesWeakest, func(p *press, m []any) ([]any, error) {
			bad, err := p.badMember()
			return []any{m[0], bad}, err
		}),
		forgery("first-bad", "the first member does not verify", losesWeakest, func(p *press, m []any) ([]any, error) {
			bad, err := p.badMember()
			return []any{bad, m[1]}, err
		}),
		forgery("one-member", "there is only one member", losesForm, func(_ *press, m []any) ([]any, error) { return m[:1], nil }),
		forgery("empty", "there is no member", "nothing at all is attested", func(*press, []any) ([]any, error) { return []any{}, nil }),
		forgery("nested", "a member is compound itself", losesForm, func(_ *press, m []any) ([]any, error) {
			return []any{m[0], member(attestation.FormatCompound, m)}, nil
		}),
		forgery("unknown-member", "a member is of a format that nobody has registered", losesWeakest, func(_ *press, m []any) ([]any, error) {
			return []any{m[0], member("forged", map[string]any{})}, nil
		}),
		forgery("member-without-statement", "a member has no attStmt", losesWeakest, func(_ *press, m []any) ([]any, error) {
			return []any{m[0], map[string]any{"fmt": attestation.FormatPacked}}, nil
		}),
	}
}

// badMember is a packed statement over another client data hash.
func (p *press) badMember() (any, error) {
	bad := &press{request: p.request, root: p.root, keys: p.keys, alteration: alteration{signed: flipLast}}
	statement, err := bad.packed("forged second key")
	return member(attestation.FormatPacked, statement), err
}

// others holds what is wrong with none, and with the format's name.
func others() []Forgery {
	return []Forgery{
		{Name: "none-with-statement", Format: attestation.FormatNone, Section: "WebAuthn 8.7", Wrong: "the statement of format none is not empty",
			Loses: losesForm, alter: alteration{members: set("x5c", [][]byte{})}},
		{Name: "unknown-format", Format: attestation.FormatPacked, Section: "WebAuthn 7.1 step 21", Wrong: "the format is one that nobody has registered",
			Loses: "an attestation that was never verified counts as one", alter: alteration{format: "forged"}},
		{Name: "format-in-capitals", Format: attestation.FormatPacked, Section: "WebAuthn 8.1", Wrong: "the format is spelt Packed, which is another than packed",
			Loses: losesForm, alter: alteration{format: "Packed"}},
		{Name: "statement-is-array", Format: attestation.FormatPacked, Section: "WebAuthn 8.2", Wrong: "the statement is an array, not a map",
			Loses: losesForm, alter: alteration{bytes: func(b []byte) []byte { return bytes.Join([][]byte{{0x81}, b}, nil) }}},
	}
}
