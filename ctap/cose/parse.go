package cose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"

	"filippo.io/mldsa"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"fido-emu/ctap"
)

// The sizes of RSA keys that are read, in bits of the modulus. Below, a signature
// proves little; above, one costs the verifier much.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// Parse reads a COSE_Key and returns its algorithm and public key, of one of the
// types that the package names. Key type, curve and algorithm must fit together as
// WebAuthn section 5.8.5 has it, a point must be on its curve, and sizes must be
// those of the algorithm. Members that the key type does not have are passed over.
// The error wraps ErrKey.
func Parse(b []byte) (Algorithm, crypto.PublicKey, error) {
	var head struct {
		Kty int `cbor:"1,keyasint"`
		Alg int `cbor:"3,keyasint"`
	}
	if err := ctap.DecodeLoose(b, &head); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	alg := Algorithm(head.Alg)
	want, ok := registry[alg]
	if !ok || want.kty == 0 {
		return 0, nil, fmt.Errorf("%w: no credential has %s", ErrKey, alg)
	}
	if head.Kty != want.kty {
		return 0, nil, fmt.Errorf("%w: key type %d for %s, want %d", ErrKey, head.Kty, alg, want.kty)
	}
	public, err := parsePublic(alg, want, b)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %s: %w", ErrKey, alg, err)
	}
	return alg, public, nil
}

func parsePublic(alg Algorithm, want entry, b []byte) (crypto.PublicKey, error) {
	switch want.kty {
	case ktyOKP:
		return parseOKP(want, b)
	case ktyEC2:
		return parseEC2(want, b)
	case ktyRSA:
		return parseRSA(b)
	}
	return parseAKP(alg, b)
}

func parseOKP(want entry, b []byte) (crypto.PublicKey, error) {
	var k okp
	if err := ctap.DecodeLoose(b, &k); err != nil {
		return nil, err
	}
	if k.Crv != want.crv || len(k.X) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("curve %d with %d bytes is not an Ed25519 key", k.Crv, len(k.X))
	}
	if !onEd25519(k.X) {
		return nil, fmt.Errorf("point is not on the curve")
	}
	return ed25519.PublicKey(k.X), nil
}

func parseEC2(want entry, b []byte) (crypto.PublicKey, error) {
	var k ec2
	if err := ctap.DecodeLoose(b, &k); err != nil {
		return nil, err
	}
	if k.Crv != want.crv {
		return nil, fmt.Errorf("curve %d, want %d", k.Crv, want.crv)
	}
	size := 32
	curve := curveOf(k.Crv)
	if curve != nil {
		size = (curve.Params().BitSize + 7) / 8
	}
	if len(k.X) != size || len(k.Y) != size {
		return nil, fmt.Errorf("coordinates of %d and %d bytes, want %d", len(k.X), len(k.Y), size)
	}
	point := slices.Concat([]byte{4}, k.X, k.Y)
	if curve == nil {
		return secp256k1.ParsePubKey(point)
	}
	return ecdsa.ParseUncompressedPublicKey(curve, point)
}

// parseRSA reads a modulus and an exponent, which RFC 8230 section 4 wants without
// leading zeros.
func parseRSA(b []byte) (crypto.PublicKey, error) {
	var k rsaKey
	if err := ctap.DecodeLoose(b, &k); err != nil {
		return nil, err
	}
	if len(k.N) == 0 || k.N[0] == 0 || len(k.E) == 0 || k.E[0] == 0 || len(k.E) > 4 {
		return nil, fmt.Errorf("a modulus of %d and an exponent of %d bytes, or one with leading zeros", len(k.N), len(k.E))
	}
	n := new(big.Int).SetBytes(k.N)
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || n.Bit(0) == 0 {
		return nil, fmt.Errorf("a modulus of %d bits, want an odd one of %d to %d", n.BitLen(), minRSABits, maxRSABits)
	}
	var word [4]byte
	copy(word[4-len(k.E):], k.E)
	e := binary.BigEndian.Uint32(word[:])
	if e < 3 || e > math.MaxInt32 || e%2 == 0 {
		return nil, fmt.Errorf("exponent %d, want an odd one from 3 to %d", e, math.MaxInt32)
	}
	return &rsa.PublicKey{N: n, E: int(e)}, nil
}

func parseAKP(alg Algorithm, b []byte) (crypto.PublicKey, error) {
	var k akp
	if err := ctap.DecodeLoose(b, &k); err != nil {
		return nil, err
	}
	params, ok := MLDSA(alg)
	if !ok {
		return nil, fmt.Errorf("no parameter set")
	}
	return mldsa.NewPublicKey(params, k.Pub)
}

// MLDSA returns the parameter set of an ML-DSA algorithm; ok is false for any other.
func MLDSA(alg Algorithm) (params mldsa.Parameters, ok bool) {
	switch alg {
	case MLDSA44:
		return mldsa.MLDSA44(), true
	case MLDSA65:
		return mldsa.MLDSA65(), true
	case MLDSA87:
		return mldsa.MLDSA87(), true
	}
	return params, false
}

// onEd25519 tells whether x, 32 bytes, decodes to a point (RFC 8032, section
// 5.1.3): whether (y²-1)/(dy²+1) is a square. Verification decodes it again; this is
// for keys that never verify anything.
func onEd25519(x []byte) bool {
	le := slices.Clone(x)
	le[31] &= 0x7F // the sign of the x-coordinate
	slices.Reverse(le)
	one := big.NewInt(1)
	p := new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19))
	// d = -121665/121666
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mul(d, big.NewInt(-121665))
	y2 := new(big.Int).SetBytes(le)
	y2.Mul(y2, y2)
	v := new(big.Int).Mul(d, y2)
	v.Add(v, one)
	// u/v is a square when uv is.
	uv := new(big.Int).Mul(y2.Sub(y2, one), v)
	return big.Jacobi(uv.Mod(uv, p), p) != -1
}
