package pinuv

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"io"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// ErrKeyAgreement is returned for a peer's key that is not a point of P-256.
var ErrKeyAgreement = errors.New("pinuv: not a P-256 key agreement key")

// KeyAgreement is one side's key pair of the ECDH key agreement.
type KeyAgreement struct{ private *ecdh.PrivateKey }

// NewKeyAgreement makes a key pair out of rand. The scalar is taken from rand as
// it is, so that a seeded rand gives the same pair.
func NewKeyAgreement(rand io.Reader) (*KeyAgreement, error) {
	var scalar [32]byte
	for range 8 { // a scalar is out of range once in 2^32
		if _, err := io.ReadFull(rand, scalar[:]); err != nil {
			return nil, fmt.Errorf("pinuv: key agreement key: %w", err)
		}
		if private, err := ecdh.P256().NewPrivateKey(scalar[:]); err == nil {
			return &KeyAgreement{private}, nil
		}
	}
	return nil, errors.New("pinuv: key agreement key: the random source gives no valid scalar")
}

// Public returns the public key as a COSE_Key, labelled ECDH-ES+HKDF-256 as the
// specification has it.
func (k *KeyAgreement) Public() []byte {
	return cose.MarshalP256(cose.ECDHESHKDF, k.private.PublicKey().Bytes())
}

// Decapsulate returns the secret that peer, the COSE_Key of the other side,
// agreed on. The error is ctap.ErrMissingParameter or ctap.ErrCBORUnexpectedType
// for a malformed COSE_Key and ErrKeyAgreement for a bad point.
func (k *KeyAgreement) Decapsulate(p Protocol, peer []byte) ([]byte, error) {
	public, err := parsePeer(peer)
	if err != nil {
		return nil, err
	}
	z, err := k.private.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyAgreement, err)
	}
	return p.kdf(z)
}

// Encapsulate makes a key pair, agrees on a secret with peer and returns the
// pair's COSE_Key, for the other side, and the secret.
func Encapsulate(p Protocol, peer []byte, rand io.Reader) (publicCOSE, secret []byte, err error) {
	k, err := NewKeyAgreement(rand)
	if err != nil {
		return nil, nil, err
	}
	secret, err = k.Decapsulate(p, peer)
	return k.Public(), secret, err
}

func parsePeer(b []byte) (*ecdh.PublicKey, error) {
	var key struct {
		Kty *int       `cbor:"1,keyasint"`
		Alg *int       `cbor:"3,keyasint"`
		Crv *int       `cbor:"-1,keyasint"`
		X   ctap.Bytes `cbor:"-2,keyasint"`
		Y   ctap.Bytes `cbor:"-3,keyasint"`
	}
	if err := ctap.DecodeLoose(b, &key); err != nil {
		return nil, err
	}
	if key.Kty == nil || key.Alg == nil || key.Crv == nil || key.X == nil || key.Y == nil {
		return nil, ctap.ErrMissingParameter
	}
	if *key.Kty != 2 || *key.Alg != int(cose.ECDHESHKDF) || *key.Crv != 1 || len(key.X) != 32 || len(key.Y) != 32 {
		return nil, ErrKeyAgreement
	}
	point := append(append([]byte{4}, key.X...), key.Y...)
	public, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyAgreement, err)
	}
	return public, nil
}
