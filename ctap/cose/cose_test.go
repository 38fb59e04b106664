package cose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"reflect"
	"testing"

	"fido-emu/ctap"
)

func TestMarshalAndParse(t *testing.T) {
	ec := func(c elliptic.Curve) any {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return &k.PublicKey
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for alg, key := range map[Algorithm]any{
		ES256: ec(elliptic.P256()), ES384: ec(elliptic.P384()), ES512: ec(elliptic.P521()), EdDSA: ed, RS256: &rsaKey.PublicKey,
	} {
		b, err := Marshal(alg, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := ctap.CheckCanonical(b); err != nil {
			t.Errorf("%s: %x: %v", alg, b, err)
		}
		gotAlg, got, err := Parse(b)
		if err != nil || gotAlg != alg || !reflect.DeepEqual(got, key) {
			t.Errorf("%s: parsed as %s %v, %v", alg, gotAlg, got, err)
		}
	}
}

func TestMarshalP256IsMarshal(t *testing.T) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []Algorithm{ES256, ECDHESHKDF} {
		want, err := Marshal(alg, &k.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if got := MarshalP256(alg, point); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", alg, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good, err := Marshal(ES256, &k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	off := bytes.Clone(good)
	off[len(off)-1] ^= 1
	short, err := ctap.Encode(map[int]any{1: 2, 3: -7, -1: 1, -2: make([]byte, 31), -3: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing": {}, "no key type": {0xA0}, "off the curve": off, "short coordinate": short, "cut short": good[:40],
	} {
		if _, _, err := Parse(b); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAlgorithmNames(t *testing.T) {
	for alg := range names {
		if got, err := ParseAlgorithm(alg.String()); err != nil || got != alg {
			t.Errorf("%s reads as %v, %v", alg, got, err)
		}
	}
	if _, err := ParseAlgorithm("ES1"); err == nil {
		t.Error("ES1 is accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0xA1, 0x01, 0x02})
	f.Fuzz(func(t *testing.T, b []byte) {
		alg, key, err := Parse(b)
		if err == nil && VerifyWith(alg, key, nil, []byte{0}) == nil {
			t.Errorf("%x: a signature of one zero byte verifies", b)
		}
	})
}
