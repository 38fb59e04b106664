package cose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"filippo.io/mldsa"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"fido-emu/ctap"
)

// ErrKey is in every error about a key that cannot be read or written.
var ErrKey = errors.New("COSE key")

// The key types of RFC 9053 section 7, RFC 8230 section 4 and RFC 9964 section 3.
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
	akp struct {
		Kty int        `cbor:"1,keyasint"`
		Alg int        `cbor:"3,keyasint"`
		Pub ctap.Bytes `cbor:"-1,keyasint"`
	}
)

// Marshal returns the COSE_Key of a public key, of one of the types that the
// package names, labelled with alg. It does not ask whether the two fit.
func Marshal(alg Algorithm, public crypto.PublicKey) ([]byte, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		return marshalPoint(alg, curveID(k.Curve), point)
	case *secp256k1.PublicKey:
		return marshalPoint(alg, crvSecp256k1, k.SerializeUncompressed())
	case ed25519.PublicKey:
		return ctap.Encode(okp{Kty: ktyOKP, Alg: int(alg), Crv: crvEd25519, X: ctap.Bytes(k)})
	case *rsa.PublicKey:
		return ctap.Encode(rsaKey{Kty: ktyRSA, Alg: int(alg), N: k.N.Bytes(), E: big.NewInt(int64(k.E)).Bytes()})
	case *mldsa.PublicKey:
		return ctap.Encode(akp{Kty: ktyAKP, Alg: int(alg), Pub: k.Bytes()})
	}
	return nil, fmt.Errorf("%w: %T cannot be written", ErrKey, public)
}

// marshalPoint writes an uncompressed X9.62 point.
func marshalPoint(alg Algorithm, crv int, point []byte) ([]byte, error) {
	half := (len(point) - 1) / 2
	return ctap.Encode(ec2{Kty: ktyEC2, Alg: int(alg), Crv: crv, X: point[1 : 1+half], Y: point[1+half:]})
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

// appendNegative writes a negative integer above -257.
func appendNegative(b []byte, v int) []byte {
	if n := -1 - v; n < 24 {
		return append(b, 0x20|byte(n))
	}
	return append(b, 0x38, byte(-1-v))
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

// curveID returns the COSE curve of a curve of the standard library, 0 for one
// that COSE does not have.
func curveID(c elliptic.Curve) int {
	switch c {
	case elliptic.P256():
		return crvP256
	case elliptic.P384():
		return crvP384
	case elliptic.P521():
		return crvP521
	}
	return 0
}

// curveOf is the way back from curveID, nil for a curve that is not of the standard
// library.
func curveOf(crv int) elliptic.Curve {
	switch crv {
	case crvP256:
		return elliptic.P256()
	case crvP384:
		return elliptic.P384()
	case crvP521:
		return elliptic.P521()
	}
	return nil
}
