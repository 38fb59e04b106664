// Package cose holds the public keys and signatures of credentials: COSE_Key in
// its CTAP2 canonical form, and verification of what a credential signs, for the
// algorithms that WebAuthn names (RFC 9052, RFC 9053, RFC 8230; WebAuthn
// sections 5.8.5 and 6.5.1.1).
package cose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"fido-emu/ctap"
)

// Algorithm is a COSE algorithm identifier.
type Algorithm int

// The algorithms that credentials use, and the label of CTAP's key agreement.
const (
	ES256      Algorithm = -7
	EdDSA      Algorithm = -8 // Ed25519: WebAuthn fixes the curve
	ES384      Algorithm = -35
	ES512      Algorithm = -36
	PS256      Algorithm = -37
	RS256      Algorithm = -257
	RS1        Algorithm = -65535 // old TPMs only
	ECDHESHKDF Algorithm = -25    // ECDH-ES+HKDF-256, a label only
)

var names = map[Algorithm]string{
	ES256: "ES256", EdDSA: "EdDSA", ES384: "ES384", ES512: "ES512",
	PS256: "PS256", RS256: "RS256", RS1: "RS1", ECDHESHKDF: "ECDH-ES+HKDF-256",
}

// String returns the registered name, such as ES256.
func (a Algorithm) String() string {
	if n, ok := names[a]; ok {
		return n
	}
	return fmt.Sprintf("COSE algorithm %d", int(a))
}

// ParseAlgorithm reads a registered name, such as ES256.
func ParseAlgorithm(name string) (Algorithm, error) {
	for a, n := range names {
		if n == name {
			return a, nil
		}
	}
	return 0, fmt.Errorf("algorithm %q is not known; ES256, ES384, ES512, EdDSA, RS256 and PS256 are", name)
}

// MarshalText writes the registered name.
func (a Algorithm) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [ParseAlgorithm] reads.
func (a *Algorithm) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAlgorithm(string(text))
	return err
}

// ErrKey is in every error about a key that cannot be read.
var ErrKey = errors.New("COSE key")

// ErrSignature is in every error about a signature that does not verify.
var ErrSignature = errors.New("signature does not verify")

// Marshal returns the COSE_Key of a public key, an *ecdsa.PublicKey,
// ed25519.PublicKey or *rsa.PublicKey, labelled with alg.
func Marshal(alg Algorithm, public crypto.PublicKey) ([]byte, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		return marshalEC(alg, k)
	case ed25519.PublicKey:
		return ctap.Encode(okp{Kty: 1, Alg: int(alg), Crv: 6, X: ctap.Bytes(k)})
	case *rsa.PublicKey:
		return ctap.Encode(rsaKey{Kty: 3, Alg: int(alg), N: k.N.Bytes(), E: exponent(k.E)})
	}
	return nil, fmt.Errorf("%w: %T cannot be written", ErrKey, public)
}

// The key types of RFC 9053 section 7 and RFC 8230 section 4.
type (
	ec2 struct {
		Kty int        `cbor:"1,keyasint"`
		Alg int        `cbor:"3,keyasint"`
		Crv int        `cbor:"-1,keyasint"`
		X   ctap.Bytes `cbor:"-2,keyasint"`
		Y   ctap.Bytes `cbor:"-3,keyasint"`
	}
	okp struct {
		Kty int        `cbor:"1,keyasint"`
		Alg int        `cbor:"3,keyasint"`
		Crv int        `cbor:"-1,keyasint"`
		X   ctap.Bytes `cbor:"-2,keyasint"`
	}
	rsaKey struct {
		Kty int        `cbor:"1,keyasint"`
		Alg int        `cbor:"3,keyasint"`
		N   ctap.Bytes `cbor:"-1,keyasint"`
		E   ctap.Bytes `cbor:"-2,keyasint"`
	}
)

var curves = map[int]elliptic.Curve{1: elliptic.P256(), 2: elliptic.P384(), 3: elliptic.P521()}

func marshalEC(alg Algorithm, k *ecdsa.PublicKey) ([]byte, error) {
	point, err := k.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	half := (len(point) - 1) / 2
	crv := map[int]int{32: 1, 48: 2, 66: 3}[half]
	return ctap.Encode(ec2{Kty: 2, Alg: int(alg), Crv: crv, X: point[1 : 1+half], Y: point[1+half:]})
}

// MarshalP256 returns the COSE_Key of a P-256 point, uncompressed X9.62 (65
// bytes), without going through the encoder: this is the one key that is written
// in every registration.
func MarshalP256(alg Algorithm, point []byte) []byte {
	b := make([]byte, 0, 80)
	b = append(b, 0xA5, 0x01, 0x02, 0x03)
	b = appendNegative(b, int(alg))
	b = append(b, 0x20, 0x01, 0x21, 0x58, 0x20)
	b = append(b, point[1:33]...)
	b = append(b, 0x22, 0x58, 0x20)
	return append(b, point[33:65]...)
}

// Point returns the uncompressed X9.62 point (65 bytes) of a P-256 COSE_Key.
func Point(b []byte) ([]byte, error) {
	_, public, err := Parse(b)
	if err != nil {
		return nil, err
	}
	k, ok := public.(*ecdsa.PublicKey)
	if !ok || k.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: not a P-256 key", ErrKey)
	}
	return k.Bytes()
}

// appendNegative writes a negative integer above -257.
func appendNegative(b []byte, v int) []byte {
	if n := -1 - v; n < 24 {
		return append(b, 0x20|byte(n))
	}
	return append(b, 0x38, byte(-1-v))
}

func exponent(e int) []byte {
	return big.NewInt(int64(e)).Bytes()
}

// Parse reads a COSE_Key and returns its algorithm and public key, an
// *ecdsa.PublicKey, ed25519.PublicKey or *rsa.PublicKey. A point that is not on
// its curve is refused.
func Parse(b []byte) (Algorithm, crypto.PublicKey, error) {
	var head struct {
		Kty int `cbor:"1,keyasint"`
		Alg int `cbor:"3,keyasint"`
	}
	if err := ctap.DecodeLoose(b, &head); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	alg := Algorithm(head.Alg)
	switch head.Kty {
	case 1:
		return parseOKP(alg, b)
	case 2:
		return parseEC(alg, b)
	case 3:
		return parseRSA(alg, b)
	}
	return 0, nil, fmt.Errorf("%w: key type %d is not known", ErrKey, head.Kty)
}

func parseOKP(alg Algorithm, b []byte) (Algorithm, crypto.PublicKey, error) {
	var k okp
	if err := ctap.DecodeLoose(b, &k); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if k.Crv != 6 || len(k.X) != ed25519.PublicKeySize {
		return 0, nil, fmt.Errorf("%w: curve %d with %d bytes is not an Ed25519 key", ErrKey, k.Crv, len(k.X))
	}
	return alg, ed25519.PublicKey(k.X), nil
}

func parseEC(alg Algorithm, b []byte) (Algorithm, crypto.PublicKey, error) {
	var k ec2
	if err := ctap.DecodeLoose(b, &k); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	curve := curves[k.Crv]
	if curve == nil {
		return 0, nil, fmt.Errorf("%w: curve %d is not known", ErrKey, k.Crv)
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(k.X) != size || len(k.Y) != size {
		return 0, nil, fmt.Errorf("%w: coordinates of %d and %d bytes, want %d", ErrKey, len(k.X), len(k.Y), size)
	}
	point := append(append([]byte{4}, k.X...), k.Y...)
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return alg, public, nil
}

func parseRSA(alg Algorithm, b []byte) (Algorithm, crypto.PublicKey, error) {
	var k rsaKey
	if err := ctap.DecodeLoose(b, &k); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(k.N) < 128 || len(k.E) == 0 || len(k.E) > 4 {
		return 0, nil, fmt.Errorf("%w: an RSA modulus of %d and an exponent of %d bytes", ErrKey, len(k.N), len(k.E))
	}
	var e [4]byte
	copy(e[4-len(k.E):], k.E)
	return alg, &rsa.PublicKey{N: new(big.Int).SetBytes(k.N), E: int(binary.BigEndian.Uint32(e[:]))}, nil
}

// Verify checks a credential's signature over message: DER for ECDSA, raw for
// the others (WebAuthn section 6.5.5). publicKey is a COSE_Key. The error is nil,
// wraps ErrKey, or wraps ErrSignature.
func Verify(publicKey, message, signature []byte) error {
	alg, public, err := Parse(publicKey)
	if err != nil {
		return err
	}
	return VerifyWith(alg, public, message, signature)
}

// VerifyWith is [Verify] with a key that is already parsed.
func VerifyWith(alg Algorithm, public crypto.PublicKey, message, signature []byte) error {
	ok := false
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(k, Digest(alg, message), signature)
	case ed25519.PublicKey:
		ok = alg == EdDSA && ed25519.Verify(k, message, signature)
	case *rsa.PublicKey:
		ok = verifyRSA(alg, k, message, signature)
	}
	if !ok {
		return fmt.Errorf("%w with %s", ErrSignature, alg)
	}
	return nil
}

func verifyRSA(alg Algorithm, k *rsa.PublicKey, message, signature []byte) bool {
	d := Digest(alg, message)
	switch alg {
	case RS256:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, d, signature) == nil
	case PS256:
		return rsa.VerifyPSS(k, crypto.SHA256, d, signature, nil) == nil
	}
	return false
}

// Hash returns the hash function that alg signs with, 0 for EdDSA, which hashes
// by itself.
func Hash(alg Algorithm) crypto.Hash {
	switch alg {
	case ES384:
		return crypto.SHA384
	case ES512:
		return crypto.SHA512
	case EdDSA:
		return 0
	}
	return crypto.SHA256
}

// Digest returns what alg signs for message: its hash, or for EdDSA, which hashes
// by itself, the message.
func Digest(alg Algorithm, message []byte) []byte {
	switch Hash(alg) {
	case 0:
		return message
	case crypto.SHA384:
		d := sha512.Sum384(message)
		return d[:]
	case crypto.SHA512:
		d := sha512.Sum512(message)
		return d[:]
	}
	d := sha256.Sum256(message)
	return d[:]
}
