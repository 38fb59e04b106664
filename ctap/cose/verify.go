package cose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"

	"filippo.io/mldsa"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// ErrSignature is in every error about a signature that does not verify.
var ErrSignature = errors.New("signature does not verify")

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

// VerifyWith is [Verify] with a key that is already parsed, or one of an
// attestation certificate, which WebAuthn does not bind to the curve of alg. An
// algorithm that is not for keys of this kind verifies nothing.
func VerifyWith(alg Algorithm, public crypto.PublicKey, message, signature []byte) error {
	ok := false
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		ok = ofNIST(alg) && ecdsa.VerifyASN1(k, Digest(alg, message), signature)
	case *secp256k1.PublicKey:
		ok = alg == ES256K && verifyES256K(k, message, signature)
	case ed25519.PublicKey:
		ok = registry[alg].crv == crvEd25519 && ed25519.Verify(k, message, signature)
	case *rsa.PublicKey:
		ok = verifyRSA(alg, k, message, signature)
	case *mldsa.PublicKey:
		params, is := MLDSA(alg)
		ok = is && params == k.Parameters() && mldsa.Verify(k, message, signature, nil) == nil
	}
	if !ok {
		return fmt.Errorf("%w with %s", ErrSignature, alg)
	}
	return nil
}

// ofNIST tells whether alg is ECDSA over a curve of the standard library.
func ofNIST(alg Algorithm) bool {
	e := registry[alg]
	return e.kty == ktyEC2 && e.crv != crvSecp256k1
}

func verifyES256K(k *secp256k1.PublicKey, message, signature []byte) bool {
	s, err := k1ecdsa.ParseDERSignature(signature)
	return err == nil && s.Verify(Digest(ES256K, message), k)
}

func verifyRSA(alg Algorithm, k *rsa.PublicKey, message, signature []byte) bool {
	switch alg {
	case RS256:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, Digest(alg, message), signature) == nil
	case PS256: // RFC 8230, section 2: the salt is as long as the hash
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return rsa.VerifyPSS(k, crypto.SHA256, Digest(alg, message), signature, options) == nil
	}
	return false
}
