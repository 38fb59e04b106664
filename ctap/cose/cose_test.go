package cose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"reflect"
	"testing"

	"filippo.io/mldsa"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"fido-emu/ctap"
)

// public makes a key for an algorithm.
func public(t testing.TB, alg Algorithm) crypto.PublicKey {
	t.Helper()
	e := registry[alg]
	var key crypto.Signer
	var err error
	switch {
	case e.crv == crvSecp256k1:
		private, err := secp256k1.GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		return private.PubKey()
	case e.kty == ktyEC2:
		key, err = ecdsa.GenerateKey(curveOf(e.crv), rand.Reader)
	case e.kty == ktyOKP:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case e.kty == ktyRSA:
		key, err = rsa.GenerateKey(rand.Reader, minRSABits)
	default:
		params, _ := MLDSA(alg)
		key, err = mldsa.GenerateKey(params)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key.Public()
}

func TestMarshalAndParse(t *testing.T) {
	for _, alg := range Algorithms() {
		key := public(t, alg)
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
	for _, alg := range []Algorithm{ES256, ESP256, ECDHESHKDF} {
		want, err := Marshal(alg, &k.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if got := MarshalP256(alg, point); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", alg, got, want)
		}
	}
}

// TestParseRefuses changes one member of a good key at a time.
func TestParseRefuses(t *testing.T) {
	modulus := bytes.Repeat([]byte{0xFF}, minRSABits/8)
	off := append([]byte{2}, make([]byte, 31)...) // no point of Ed25519 has y = 2
	for _, c := range []struct {
		name string
		alg  Algorithm
		with map[int]any
	}{
		{"key type of another", ES256, map[int]any{1: ktyOKP}},
		{"no key type", ES256, map[int]any{1: 0}},
		{"algorithm of another curve", ES256, map[int]any{3: int(ES384)}},
		{"algorithm of another key type", ES256, map[int]any{3: int(RS256)}},
		{"algorithm for key agreement", ES256, map[int]any{3: int(ECDHESHKDF)}},
		{"unknown algorithm", ES256, map[int]any{3: -9999}},
		{"another curve", ES256, map[int]any{-1: crvP384}},
		{"secp256k1 for P-256", ES256, map[int]any{-1: crvSecp256k1}},
		{"off the curve", ES256, map[int]any{-3: make([]byte, 32)}},
		{"short coordinate", ES256, map[int]any{-2: make([]byte, 31)}},
		{"compressed", ES256, map[int]any{-3: true}},
		{"P-256 for secp256k1", ES256K, map[int]any{-1: crvP256}},
		{"off secp256k1", ES256K, map[int]any{-3: make([]byte, 32)}},
		{"short for secp256k1", ES256K, map[int]any{-3: make([]byte, 31)}},
		{"off P-521", ES512, map[int]any{-3: make([]byte, 66)}},
		{"Ed448", EdDSA, map[int]any{-1: 7}},
		{"long Ed25519", EdDSA, map[int]any{-2: make([]byte, 33)}},
		{"off Ed25519", EdDSA, map[int]any{-2: off}},
		{"small RSA", RS256, map[int]any{-1: modulus[1:]}},
		{"huge RSA", RS256, map[int]any{-1: bytes.Repeat([]byte{0xFF}, maxRSABits/8+1)}},
		{"even RSA", RS256, map[int]any{-1: append(bytes.Clone(modulus[1:]), 0xFE)}},
		{"padded RSA", RS256, map[int]any{-1: append([]byte{0}, modulus...)}},
		{"no RSA", RS256, map[int]any{-1: []byte{}}},
		{"exponent 1", PS256, map[int]any{-2: []byte{1}}},
		{"even exponent", PS256, map[int]any{-2: []byte{1, 0}}},
		{"padded exponent", PS256, map[int]any{-2: []byte{0, 1, 0, 1}}},
		{"huge exponent", PS256, map[int]any{-2: []byte{0x80, 0, 0, 1}}},
		{"long exponent", PS256, map[int]any{-2: []byte{1, 0, 0, 0, 1}}},
		{"no exponent", PS256, map[int]any{-2: []byte{}}},
		{"parameter set of another", MLDSA44, map[int]any{3: int(MLDSA65)}},
		{"short ML-DSA", MLDSA44, map[int]any{-1: make([]byte, mldsa.MLDSA44PublicKeySize-1)}},
		{"ML-DSA as text", MLDSA87, map[int]any{-1: "key"}},
	} {
		good, err := Marshal(c.alg, public(t, c.alg))
		if err != nil {
			t.Fatal(err)
		}
		var members map[int]any
		if err := ctap.DecodeLoose(good, &members); err != nil {
			t.Fatal(err)
		}
		for k, v := range c.with {
			members[k] = v
		}
		b, err := ctap.Encode(members)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Parse(b); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, _, err := Parse(good[:len(good)/2]); !errors.Is(err, ErrKey) {
			t.Errorf("half of %s: %v", c.alg, err)
		}
	}
}

// TestVerifyWithAnother has a signature that is good for one algorithm verified
// under all others with the same key.
func TestVerifyWithAnother(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("message")
	digest := sha256.Sum256(message)
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	for alg := range registry {
		err := VerifyWith(alg, &key.PublicKey, message, sig)
		if fits := alg == ES256 || alg == ESP256; fits != (err == nil) {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestAlgorithmNames(t *testing.T) {
	for _, alg := range Algorithms() {
		if got, err := ParseAlgorithm(alg.String()); err != nil || got != alg {
			t.Errorf("%s reads as %v, %v", alg, got, err)
		}
	}
	for _, name := range []string{"ES1", "RS1", ECDHESHKDF.String(), "Ed448", "COSE algorithm -7", ""} {
		if alg, err := ParseAlgorithm(name); err == nil {
			t.Errorf("%q is accepted, as %d", name, int(alg))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, alg := range Algorithms() {
		b, err := Marshal(alg, public(f, alg))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if alg, key, err := Parse(b); err == nil {
			checkParsed(t, alg, key)
		}
	})
}

// checkParsed checks what holds of every key that Parse accepts.
func checkParsed(t *testing.T, alg Algorithm, key crypto.PublicKey) {
	if VerifyWith(alg, key, nil, []byte{0}) == nil {
		t.Errorf("%s: a signature of one zero byte verifies", alg)
	}
	if _, err := SPKI(key); err != nil {
		t.Errorf("%s: %v", alg, err)
	}
	b, err := Marshal(alg, key)
	if err != nil {
		t.Fatal(err)
	}
	if again, _, err := Parse(b); err != nil || again != alg {
		t.Errorf("%s: written and read: %s, %v", alg, again, err)
	}
}
