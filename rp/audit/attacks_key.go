package audit

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/webauthn"
)

// keyAttacks are those on the public key of a new passkey.
func keyAttacks() []Attack {
	at := func(name, title, detail string, s Severity, gains string, key func(d *draft) []byte) Attack {
		return Attack{ID: "registration." + name, Group: "registration: public key", Title: title, Section: "7.1", Step: 20, Detail: detail,
			Severity: s, Gains: gains, run: registration(bend{claims: func(d *draft) { d.auth.Attested.PublicKey = key(d) }})}
	}
	key := func(name, title string, s Severity, make func(d *draft) []byte) Attack {
		return at("key."+name, title, "5.8.5", s, "nothing from anybody else: the account has a passkey that cannot sign in, or one as weak as whoever made it wanted", make)
	}
	changed := func(change func(k map[int]any)) func(*draft) []byte {
		return func(d *draft) []byte { return changedKey(d.passkey.public, change) }
	}
	all := []Attack{
		at("algorithm.not-offered", "the algorithm is one that was not offered", "", Medium, "a weaker algorithm than the relying party wants is used", notOffered),
		at("algorithm.unknown", "the algorithm is one that nobody has registered", "", Medium, gainsForm, changed(func(k map[int]any) { k[3] = -60000 })),
		at("algorithm.missing", "the public key has no algorithm", "", Medium, gainsForm, changed(func(k map[int]any) { delete(k, 3) })),
		at("algorithm.rs1", "the algorithm is RSA with SHA-1", "", Medium, "signatures over SHA-1, whose collisions are known, sign in", func(*draft) []byte { return rsaKey(-65535, 2048, []byte{1, 0, 1}) }),
		at("algorithm.text", "the algorithm is the text ES256", "", Low, gainsForm, changed(func(k map[int]any) { k[3] = "ES256" })),
		key("type.confused", "the key says ES256 and is of type RSA", Low, func(*draft) []byte { return rsaKey(-7, 2048, []byte{1, 0, 1}) }),
		key("type.okp", "the key says ES256 and is of type OKP", Low, changed(func(k map[int]any) { k[1] = 1 })),
		key("type.symmetric", "the key says ES256 and is a symmetric one", Low, func(*draft) []byte {
			return encode(map[int]any{1: 4, 3: -7, -1: make([]byte, 32)})
		}),
		key("type.missing", "the key has no type", Low, changed(func(k map[int]any) { delete(k, 1) })),
		key("curve.confused", "the key says ES256 and is on P-384", Low, changed(func(k map[int]any) { k[-1] = 2 })),
		key("curve.ed25519", "the key says EdDSA and is on P-256", Low, changed(func(k map[int]any) { k[3] = -8 })),
		key("curve.missing", "the key has no curve", Low, changed(func(k map[int]any) { delete(k, -1) })),
		key("curve.unknown", "the curve is one that nobody has registered", Low, changed(func(k map[int]any) { k[-1] = 99 })),
		key("point.off-curve", "the point is not on the curve", Low, changed(func(k map[int]any) { flip(k, -3) })),
		key("point.zero", "the point is (0, 0)", Low, changed(func(k map[int]any) { k[-2], k[-3] = make([]byte, 32), make([]byte, 32) })),
		key("point.field", "a coordinate is the size of the field and more", Low, changed(func(k map[int]any) { k[-2] = bytes.Repeat([]byte{0xFF}, 32) })),
		key("point.short", "a coordinate has 31 bytes", Low, changed(func(k map[int]any) { k[-2] = k[-2].([]byte)[1:] })),
		key("point.long", "a coordinate has 33 bytes, the first of them zero", Low, changed(func(k map[int]any) { k[-2] = append([]byte{0}, k[-2].([]byte)...) })),
		key("point.compressed", "the point is compressed", Low, changed(func(k map[int]any) { k[-3] = true })),
		key("point.missing", "the key has no y", Low, changed(func(k map[int]any) { delete(k, -3) })),
		key("rsa-size.512", "the RSA modulus has 512 bits", Low, func(*draft) []byte { return rsaKey(-257, 512, []byte{1, 0, 1}) }),
		key("rsa-size.1024", "the RSA modulus has 1024 bits", Low, func(*draft) []byte { return rsaKey(-257, 1024, []byte{1, 0, 1}) }),
		key("rsa-exponent.1", "the RSA exponent is 1, for which a signature is what is signed", Medium, exponentOne),
		key("rsa-exponent.even", "the RSA exponent is even", Low, func(*draft) []byte { return rsaKey(-257, 2048, []byte{1, 0, 0}) }),
		key("rsa-modulus.empty", "the RSA modulus is empty", Low, func(*draft) []byte { return encode(map[int]any{1: 3, 3: -257, -1: []byte{}, -2: []byte{1, 0, 1}}) }),
		key("empty", "the key is an empty map", Low, func(*draft) []byte { return []byte{0xA0} }),
		key("array", "the key is an array", Low, func(*draft) []byte { return []byte{0x80} }),
	}
	for i := range all {
		if reason := weakness(all[i].ID); reason != "" {
			all[i].Tolerated = reason
		}
		if all[i].ID == "registration.key.rsa-exponent.1" {
			all[i].run = keyless
		}
	}
	return all
}

// weakness says why the standard allows to accept a weak key.
func weakness(id string) string {
	switch id {
	case "registration.key.rsa-size.1024", "registration.key.rsa-size.512":
		return "WebAuthn sets no least size of RSA keys; RFC 8812, section 2, on which RS256 rests, asks for 2048 bits or more of whoever signs"
	}
	return ""
}

// notOffered returns a key of an algorithm that was not offered.
func notOffered(d *draft) []byte {
	for _, alg := range []int{-36, -47, -39, -38, -37, -259, -258, -35, -8} {
		if d.asked.offers(cose.Algorithm(alg)) {
			continue
		}
		if k := sampleKey(alg); k != nil {
			return k
		}
	}
	return encode(map[int]any{1: 1, 3: -53, -1: 7, -2: make([]byte, 57)})
}

// sampleKey returns a public key on which nothing hangs.
func sampleKey(alg int) []byte {
	switch alg {
	case -36: // the generator of P-521, whose scalar is 1
		x := "\x00\xC6\x85\x8E\x06\xB7\x04\x04\xE9\xCD\x9E\x3E\xCB\x66\x23\x95\xB4\x42\x9C\x64\x81\x39\x05\x3F\xB5\x21\xF8\x28\xAF\x60\x6B\x4D\x3D\xBA\xA1\x4B\x5E\x77\xEF\xE7\x59\x28\xFE\x1D\xC1\x27\xA2\xFF\xA8\xDE\x33\x48\xB3\xC1\x85\x6A\x42\x9B\xF9\x7E\x7E\x31\xC2\xE5\xBD\x66"
		y := "\x01\x18\x39\x29\x6A\x78\x9A\x3B\xC0\x04\x5C\x8A\x5F\xB4\x2C\x7D\x1B\xD9\x98\xF5\x44\x49\x57\x9B\x44\x68\x17\xAF\xBD\x17\x27\x3E\x66\x2C\x97\xEE\x72\x99\x5E\xF4\x26\x40\xC5\x50\xB9\x01\x3F\xAD\x07\x61\x35\x3C\x70\x86\xA2\x72\xC2\x40\x88\xBE\x94\x76\x9F\xD1\x66\x50"
		return encode(map[int]any{1: 2, 3: -36, -1: 3, -2: []byte(x), -3: []byte(y)})
	case -39, -38, -37, -259, -258:
		return rsaKey(alg, 2048, []byte{1, 0, 1})
	}
	return nil
}

// rsaKey returns an RSA public key of a modulus that is not known to be of two
// primes: it is only looked at, never signed with.
func rsaKey(alg, bits int, e []byte) []byte {
	n := make([]byte, 0, bits/8)
	for block := sha256.Sum256([]byte("modulus")); len(n) < bits/8; block = sha256.Sum256(block[:]) {
		n = append(n, block[:]...)
	}
	n = n[:bits/8]
	n[0] |= 0x80
	n[len(n)-1] |= 1
	return encode(map[int]any{1: 3, 3: alg, -1: n, -2: e})
}

func encode(v any) []byte {
	b, err := ctap.Encode(v)
	if err != nil {
		return []byte{0xA0}
	}
	return b
}

func changedKey(key []byte, change func(map[int]any)) []byte {
	var k map[int]any
	if ctap.DecodeLoose(key, &k) != nil {
		return key
	}
	change(k)
	return encode(k)
}

func flip(k map[int]any, name int) {
	if b, ok := k[name].([]byte); ok && len(b) > 0 {
		b = slices.Clone(b)
		b[len(b)-1] ^= 1
		k[name] = b
	}
}

// objectAttacks are those on the CBOR of the attestation object.
func objectAttacks() []Attack {
	at := func(name, title string, s Severity, gains string, how bend) Attack {
		return Attack{ID: "registration." + name, Group: "registration: attestation object", Title: title, Section: "7.1", Step: 13,
			Severity: s, Gains: gains, run: registration(how)}
	}
	object := func(name, title string, change func(d *draft, honest []byte) []byte) Attack {
		return at("object."+name, title, Low, gainsForm, bend{sealed: func(d *draft) {
			honest := (&webauthn.AttestationObject{Format: d.format, Statement: d.statement, AuthData: d.authBytes}).Encode()
			d.object = append([]byte{}, change(d, honest)...)
		}})
	}
	made := func(entries map[string]any) []byte { return encode(entries) }
	should := "decoders should refuse CBOR that is not canonical and duplicate keys (section 2); they need not"
	all := []Attack{
		object("left-over", "a byte follows the attestation object", func(_ *draft, b []byte) []byte { return append(b, 0) }),
		object("cut-short", "the last byte of the attestation object is missing", func(_ *draft, b []byte) []byte { return b[:len(b)-1] }),
		object("empty", "the attestation object is empty", func(*draft, []byte) []byte { return nil }),
		object("empty-map", "the attestation object is an empty map", func(*draft, []byte) []byte { return []byte{0xA0} }),
		object("array", "the attestation object is an array that holds the map", func(_ *draft, b []byte) []byte { return append([]byte{0x81}, b...) }),
		object("no-format", "there is no fmt", func(d *draft, _ []byte) []byte {
			return made(map[string]any{"attStmt": map[string]any{}, "authData": d.authBytes})
		}),
		object("no-statement", "there is no attStmt", func(d *draft, _ []byte) []byte { return made(map[string]any{"fmt": "none", "authData": d.authBytes}) }),
		object("no-auth-data", "there is no authData", func(*draft, []byte) []byte { return made(map[string]any{"fmt": "none", "attStmt": map[string]any{}}) }),
		object("auth-data-text", "authData is text in base64url", func(d *draft, _ []byte) []byte {
			return made(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": b64(d.authBytes)})
		}),
		object("format-number", "fmt is a number", func(d *draft, _ []byte) []byte {
			return made(map[string]any{"fmt": 0, "attStmt": map[string]any{}, "authData": d.authBytes})
		}),
		object("bomb", "the length of a byte string is 2⁶³ and more", func(d *draft, b []byte) []byte {
			return append(bytes.Clone(b[:len(b)-len(d.authBytes)-2]), 0x5B, 0x80, 0, 0, 0, 0, 0, 0, 0)
		}),
		object("deep", "a further member is nested 10,000 deep", func(_ *draft, b []byte) []byte {
			return slices.Concat([]byte{0xA4}, b[1:], []byte{0x61, 'x'}, bytes.Repeat([]byte{0x81}, 10000), []byte{0x80})
		}),
	}
	loose := []Attack{
		object("duplicates", "fmt is there twice, both none", func(_ *draft, b []byte) []byte {
			return slices.Concat([]byte{0xA4}, []byte("\x63fmt\x64none"), b[1:])
		}),
		object("indefinite", "the map has no definite length", func(_ *draft, b []byte) []byte {
			return slices.Concat([]byte{0xBF}, b[1:], []byte{0xFF})
		}),
		object("further-member", "the map has a further member", func(_ *draft, b []byte) []byte {
			return slices.Concat([]byte{0xA4}, b[1:], []byte{0x61, 'x', 0x00})
		}),
	}
	for i := range loose {
		loose[i].Tolerated = should
	}
	loose[2].Tolerated = "section 6.5.4 does not say that there is nothing but fmt, attStmt and authData"
	attested := at("attested.missing", "authenticator data holds no passkey (AT 0)", High, "a passkey is registered that there is not", bend{claims: func(d *draft) { d.auth.Attested = nil }})
	attested.Detail = "6.5.1"
	short := at("attested.cut-short", "the credential id is longer than what is left", Medium, gainsForm, bend{bytes: func(d *draft) { d.authBytes[53] = 0x03 }})
	short.Detail = "6.5.1"
	flagless := at("attested.flag", "there is a passkey and AT is 0", Medium, gainsForm, bend{bytes: func(d *draft) { d.authBytes[32] &^= byte(ctap.FlagAT) }})
	flagless.Detail = "6.5.1"
	return append(append(all, loose...), attested, short, flagless)
}
