package audit

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// exponentOne returns a public key under which everybody can sign: to the power of 1,
// a signature is the padded digest itself.
func exponentOne(*draft) []byte { return rsaKey(-257, 2048, []byte{1}) }

// keyless registers such a key, and signs in without a private one.
func keyless(b *bench) finding {
	a, err := b.account("attacker")
	if err != nil {
		return found(NotApplicable, "no account to attack from: %v", err)
	}
	before, _ := b.list(a)
	_, err = b.register(a, bend{claims: func(d *draft) { d.auth.Attested.PublicKey = exponentOne(d) }})
	sent := a.client.last
	if f, over := early(a.client, err); over {
		return f
	}
	f := b.judgeRegistration(a, before, sent, err).with(sent)
	if f.verdict != Accepted {
		a.client.forget(sent.passkey)
		return b.afterwards(a, f, b.honestRegistration)
	}
	if b.signsKeyless(a, sent.passkey) {
		f.why += "; whoever knows its id signs in with it, without a private key"
		f = f.with(a.client.last)
	} else {
		f.why += "; it does not sign in"
		f.severity, f.gains = Low, "nothing: the account has a passkey that cannot sign in"
	}
	a.client.forget(sent.passkey)
	b.takeBack(a, before)
	return f
}

// signsKeyless tells whether a session comes of a signature that is no more than the
// padded digest.
func (b *bench) signsKeyless(a *account, k *passkey) bool {
	if b.signOut(a.person) != nil {
		return false
	}
	a.client.use = k
	_, err := b.signIn(a.person, a.client, bend{sealed: func(d *draft) { d.signature = padded(d.message, 256) }})
	a.client.use = nil
	in, known, proof := b.signedIn(a.person)
	return err == nil && proof == nil && (in || !known)
}

// padded returns the encoded message of RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017,
// section 9.2) in n bytes.
func padded(message []byte, n int) []byte {
	info := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	digest := sha256.Sum256(message)
	rest := n - 3 - len(info) - len(digest)
	return slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xFF}, rest), []byte{0}, info, digest[:])
}
