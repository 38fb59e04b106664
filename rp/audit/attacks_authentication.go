package audit

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
)

// signatureAttacks are those on the signature of an assertion, and on the response
// around it.
func signatureAttacks() []Attack {
	at := func(name, title string, s Severity, gains string, how bend) Attack {
		return Attack{ID: "authentication." + name, Group: "authentication: signature", Title: title, Section: "7.2", Step: 21,
			Severity: s, Gains: gains, run: signingIn(how)}
	}
	anybody := "anybody signs in as anybody"
	signature := func(name, title string, s Severity, change func(d *draft) []byte) Attack {
		return at("signature."+name, title, s, anybody, bend{sealed: func(d *draft) { d.signature = change(d) }})
	}
	form := func(name, title string, change func(sig []byte) []byte) Attack {
		return at("signature."+name, title, Low, "nothing by itself: one signature has several forms, so that it must not serve as a name of the sign-in",
			bend{sealed: func(d *draft) { d.signature = change(d.signature) }})
	}
	all := []Attack{
		signature("flipped", "the last bit of the signature is flipped", Critical, func(d *draft) []byte { d.signature[len(d.signature)-1] ^= 1; return d.signature }),
		signature("empty", "the signature is empty", Critical, func(*draft) []byte { return nil }),
		signature("zeros", "the signature is zeros", Critical, func(d *draft) []byte { return make([]byte, len(d.signature)) }),
		signature("zero", "r and s are 0", Critical, func(*draft) []byte { return []byte{0x30, 6, 2, 1, 0, 2, 1, 0} }),
		signature("order", "r and s are the order of the curve", Critical, orderSignature),
		signature("one", "r and s are 1", Critical, func(*draft) []byte { return []byte{0x30, 6, 2, 1, 1, 2, 1, 1} }),
		at("signature.other-data", "the signature is over another challenge's client data", Critical, gainsReplay, bend{bytes: func(d *draft) {
			d.message = slices.Concat(d.authBytes, make([]byte, 32))
		}}),
		at("signature.auth-data-only", "the signature is over authenticator data alone", Critical, gainsReplay, bend{bytes: func(d *draft) { d.message = d.authBytes }}),
		at("signature.hash-only", "the signature is over the hash of client data alone", Critical, "flags and counter are of the attacker's choice", bend{bytes: func(d *draft) { d.message = hashOf(d.clientJSON) }}),
		at("signature.unhashed", "the signature is over client data itself, not its hash", Medium, gainsForm, bend{bytes: func(d *draft) { d.message = slices.Concat(d.authBytes, d.clientJSON) }}),
		at("signature.swapped", "the signature is over client data's hash and then authenticator data", Medium, gainsForm, bend{bytes: func(d *draft) { d.message = slices.Concat(hashOf(d.clientJSON), d.authBytes) }}),
		at("signature.flags-later", "the flag UV is set after signing", High, "flags are of the attacker's choice", bend{
			claims: func(d *draft) { d.auth.Flags &^= ctap.FlagUV },
			sealed: func(d *draft) { d.authBytes[32] |= byte(ctap.FlagUV) },
		}),
		at("signature.counter-later", "the counter is raised after signing", High, "the counter is of the attacker's choice", bend{sealed: func(d *draft) { d.authBytes[34]++ }}),
		at("signature.client-data-later", "a member of client data is added after signing", High, "client data is of the attacker's choice", bend{sealed: func(d *draft) {
			d.clientJSON = append(bytes.TrimSuffix(bytes.Clone(d.clientJSON), []byte("}")), `,"note":1}`...)
		}}),
		form("left-over", "a byte follows the signature", func(sig []byte) []byte { return append(sig, 0) }),
		form("raw", "r and s are side by side, not in DER", rawSignature),
		form("long-length", "the length in DER has more bytes than it needs", func(sig []byte) []byte {
			return slices.Concat([]byte{0x30, 0x81, sig[1]}, sig[2:])
		}),
		form("leading-zeros", "r begins with zeros that DER has not", func(sig []byte) []byte {
			return slices.Concat([]byte{0x30, sig[1] + 1, 2, sig[3] + 1, 0}, sig[4:])
		}),
		form("indefinite", "the sequence has no definite length", func(sig []byte) []byte {
			return slices.Concat([]byte{0x30, 0x80}, sig[2:], []byte{0, 0})
		}),
		form("set", "it is a set, not a sequence", func(sig []byte) []byte { return append([]byte{0x31}, sig[1:]...) }),
	}
	all[17].Gains = all[14].Gains
	hash := at("hash.rewritten", "white space is put into client data after signing", Medium, "client data is hashed as it is understood, not as it came, so that what is understood and what is signed can differ",
		bend{sealed: func(d *draft) { d.clientJSON = append([]byte("{ "), d.clientJSON[1:]...) }})
	hash.Step = 20
	malleable := form("malleable", "s is the order less s, which is a second signature of the same message", negated)
	malleable.Tolerated = "ECDSA has both, and WebAuthn does not ask for the smaller one"
	attested := at("attested", "the assertion holds a new passkey (AT 1)", Low, gainsForm, bend{claims: func(d *draft) {
		d.auth.Attested = &ctap.AttestedCredential{ID: d.passkey.id, PublicKey: d.passkey.public}
	}})
	attested.Section, attested.Step = "6.1", 0
	attested.Tolerated = "section 6.1 has authenticators leave it out; section 7.2 does not have relying parties look"
	missing := Attack{ID: "authentication.response.signature-missing", Group: "authentication: response", Title: "there is no signature", Section: "7.2", Step: 21,
		Severity: Critical, Gains: anybody, run: signingIn(bend{sent: func(d *draft) { inner(d, "signature", nil) }})}
	noData := Attack{ID: "authentication.response.auth-data-missing", Group: "authentication: response", Title: "there is no authenticator data", Section: "5.1",
		Severity: High, Gains: gainsForm, run: signingIn(bend{sent: func(d *draft) { inner(d, "authenticatorData", nil) }})}
	return append(append(append(all, hash, malleable, attested), responseAttacks(authenticating)...), missing, noData)
}

// inner sets a member of the response, or with nil takes it away.
func inner(d *draft, name string, value any) {
	in, ok := d.response["response"].(map[string]any)
	switch {
	case !ok:
	case value == nil:
		delete(in, name)
	default:
		in[name] = value
	}
}

type ecdsaSignature struct{ R, S *big.Int }

// orderOf is the order of P-256.
func orderOf() *big.Int {
	n, _ := new(big.Int).SetString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)
	return n
}

func orderSignature(*draft) []byte {
	b, err := asn1.Marshal(ecdsaSignature{orderOf(), orderOf()})
	if err != nil {
		return nil
	}
	return b
}

func rawSignature(sig []byte) []byte {
	var s ecdsaSignature
	if _, err := asn1.Unmarshal(sig, &s); err != nil {
		return sig[1:]
	}
	return append(s.R.FillBytes(make([]byte, 32)), s.S.FillBytes(make([]byte, 32))...)
}

func negated(sig []byte) []byte {
	var s ecdsaSignature
	if _, err := asn1.Unmarshal(sig, &s); err != nil {
		return sig[1:]
	}
	b, err := asn1.Marshal(ecdsaSignature{s.R, new(big.Int).Sub(orderOf(), s.S)})
	if err != nil {
		return nil
	}
	return b
}

// credentialAttacks are those on whose passkey it is (step 5 and 6).
func credentialAttacks() []Attack {
	at := func(name, title string, step int, s Severity, gains string, run func(*bench) finding) Attack {
		return Attack{ID: "authentication." + name, Group: "authentication: whose passkey", Title: title, Section: "7.2", Step: step, Severity: s, Gains: gains, run: run}
	}
	takeover := "whoever has an account signs in as anybody else"
	handle := func(change func(d *draft)) bend { return bend{sealed: change} }
	return []Attack{
		at("credential.another", "the attacker's own passkey signs in as the victim, with the attacker's user handle", 6, Critical, takeover, impersonate(bend{})),
		at("credential.impostor", "the attacker's own passkey signs in as the victim, with the victim's user handle", 6, Critical, takeover, impersonating(true, bend{})),
		at("credential.another.silent", "the attacker's own passkey signs in as the victim, without a user handle", 6, Critical, takeover, impersonate(handle(func(d *draft) { d.userHandle = nil }))),
		at("credential.swapped-id", "the attacker's passkey signs under the id of the victim's", 21, Critical, takeover, swappedID),
		at("credential.unknown", "a passkey signs in that was never registered", 5, Critical, "anybody signs in as anybody", unknownKey),
		at("credential.another-key", "another key signs under the id of the victim's passkey", 21, Critical, "anybody signs in as anybody", anotherKey),
		at("credential.deleted", "a passkey signs in that was deleted", 6, High, "a key that was lost and deleted opens the account for whoever found it", deletedKey),
		at("credential.deleted.nameless", "a passkey signs in that was deleted, without a name", 6, High, "a key that was lost and deleted opens the account for whoever found it", deletedNameless),
		at("user-handle.another", "the user handle is somebody else's, in a sign-in by name", 6, Medium, gainsConfusion, signingIn(handle(func(d *draft) { d.userHandle = bytes.Repeat([]byte{9}, 32) }))),
		at("user-handle.nameless.missing", "nobody is named, and there is no user handle", 6, Medium, "the relying party takes the passkey's id for the name of the user, which two passkeys may share", nameless(func(d *draft, _ []byte) { d.userHandle = nil })),
		at("user-handle.nameless.unknown", "nobody is named, and the user handle is nobody's", 6, High, gainsConfusion, nameless(func(d *draft, _ []byte) { d.userHandle = bytes.Repeat([]byte{9}, 32) })),
		at("user-handle.nameless.another", "nobody is named, and the user handle is the victim's, of the attacker's passkey", 6, Critical, takeover, namelessImpostor),
		at("user-handle.nameless.long", "nobody is named, and the user handle has 1,000 bytes", 6, Low, gainsForm, nameless(func(d *draft, _ []byte) { d.userHandle = make([]byte, 1000) })),
		at("user-handle.nameless.prefix", "nobody is named, and the user handle is the first half of the right one", 6, Medium, gainsConfusion, nameless(func(d *draft, right []byte) { d.userHandle = right[:len(right)/2/3*3] })),
		at("user-verified.wish", "the client asks for no user verification, and gives none, although it is required", 17, High, "whoever holds the authenticator needs neither PIN nor fingerprint", wishing),
	}
}

// impersonate signs in as the victim with the attacker's passkey.
func impersonate(how bend) func(*bench) finding { return impersonating(false, how) }

func impersonating(victimsHandle bool, how bend) func(*bench) finding {
	return func(b *bench) finding {
		victim, attacker, err := b.two()
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		c := attacker.client
		c.use = c.passkeys[0]
		defer func() { c.use = nil }()
		if victimsHandle {
			how = bend{sealed: func(d *draft) { d.userHandle = victim.client.passkeys[0].user }}
		}
		return b.trySignIn(victim, c, how)
	}
}

// two returns the accounts of the victim and of the attacker.
func (b *bench) two() (victim, attacker *account, err error) {
	if b.options.Single {
		return nil, nil, errors.New("the relying party has one account only")
	}
	if victim, err = b.account("victim"); err == nil {
		attacker, err = b.account("attacker")
	}
	return victim, attacker, err
}

func swappedID(b *bench) finding {
	victim, attacker, err := b.two()
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	mask := *attacker.client.passkeys[0]
	mask.id, mask.user = victim.client.passkeys[0].id, victim.client.passkeys[0].user
	return b.trySignInWith(victim, &mask)
}

// trySignInWith signs in as the victim with a passkey that is not the victim's.
func (b *bench) trySignInWith(victim *account, k *passkey) finding {
	c := b.newForger()
	c.use = k
	return b.trySignIn(victim, c, bend{})
}

func unknownKey(b *bench) finding {
	victim, err := b.account("victim")
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	k, err := b.newForger().generate(cose.ES256, victim.client.passkeys[0].user)
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	return b.trySignInWith(victim, k)
}

func anotherKey(b *bench) finding {
	victim, err := b.account("victim")
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	k, err := b.newForger().generate(victim.client.passkeys[0].alg, victim.client.passkeys[0].user)
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	k.id, k.count = victim.client.passkeys[0].id, victim.client.passkeys[0].count+100
	return b.trySignInWith(victim, k)
}

// deletedKey signs in with a deleted passkey by name.
func deletedKey(b *bench) finding {
	victim, k, f := b.deleted()
	if f.verdict != "" {
		return f
	}
	return b.trySignInWith(victim, k)
}

// deletedNameless signs in with a deleted passkey without a name, where nothing but
// the record says whose it is.
func deletedNameless(b *bench) finding {
	victim, k, f := b.deleted()
	if f.verdict != "" {
		return f
	}
	return b.tryNameless(victim, b.newForger(), k, bend{})
}

// deleted registers a second passkey of the victim and deletes it.
func (b *bench) deleted() (*account, *passkey, finding) {
	victim, err := b.account("victim")
	if err != nil {
		return nil, nil, found(NotApplicable, "%v", err)
	}
	if _, ok := b.deleter(); !ok {
		return nil, nil, found(NotApplicable, "the adapter cannot delete passkeys")
	}
	if _, err := b.register(victim, bend{}); err != nil {
		return nil, nil, found(NotApplicable, "the account takes no second passkey: %v", err)
	}
	second := victim.client.last.passkey
	victim.client.forget(second)
	if !b.remove(victim, second.id) {
		return nil, nil, found(NotApplicable, "the second passkey cannot be deleted")
	}
	return victim, second, finding{}
}

// nameless makes an attack on the victim's sign-in without a name.
func nameless(change func(d *draft, right []byte)) func(*bench) finding {
	return func(b *bench) finding {
		victim, err := b.account("victim")
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		return b.tryNameless(victim, victim.client, victim.client.passkeys[0], bend{sealed: func(d *draft) { change(d, bytes.Clone(d.userHandle)) }})
	}
}

func namelessImpostor(b *bench) finding {
	victim, attacker, err := b.two()
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	handle := victim.client.passkeys[0].user
	return b.tryNameless(victim, attacker.client, attacker.client.passkeys[0], bend{sealed: func(d *draft) { d.userHandle = handle }})
}

// tryNameless signs in without a name, with a bent response, and judges it as the victim's.
func (b *bench) tryNameless(victim *account, c *forger, k *passkey, how bend) finding {
	if err := b.withoutName(); err != nil {
		return found(NotApplicable, "there is no sign-in without a name: %v", err)
	}
	c.use = k
	defer func() { c.use = nil }()
	return b.judged(victim, c, func() (rp.Session, error) { return b.signIn(rp.Person{}, c, how) })
}

// wishing asks for less than the relying party's policy.
func wishing(b *bench) finding {
	w, ok := b.site.(rp.Wishing)
	if !ok {
		return found(NotApplicable, "the adapter cannot begin a sign-in with wishes of the client")
	}
	a, err := b.verified(authenticating)
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	var answer error
	f := b.judged(a, a.client, func() (s rp.Session, err error) {
		a.client.bend = bend{claims: func(d *draft) { d.auth.Flags &^= ctap.FlagUV }}
		defer func() { a.client.bend = bend{} }()
		answer = b.call(func(ctx context.Context) (err error) {
			s, err = w.SignInWishing(ctx, a.person, map[string]string{"userVerification": "discouraged"}, a.client)
			return err
		})
		return s, answer
	})
	if !a.client.reached && isRefused(answer) {
		return b.afterwards(a, found(Refused, "already the wish: %v", answer), b.honestSignIn)
	}
	return f
}
