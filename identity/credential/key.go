package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/go-jose/go-jose/v4"
)

// Types of tokens, as the typ header has them.
const (
	typeJWT   = "JWT"
	typeProof = "openid4vci-proof+jwt"
)

// Key is a P-256 key pair. It signs with ES256, and the same bytes get the same
// signature (RFC 6979).
type Key struct{ private *ecdsa.PrivateKey }

// scalarTries is how many scalars are drawn at most: one is out of range once in 2^32.
const scalarTries = 8

// NewKey draws a key from rand. It draws the scalar itself, because ecdsa.GenerateKey
// ignores the reader it is given.
func NewKey(rand io.Reader) (*Key, error) {
	scalar := make([]byte, 32)
	for range scalarTries {
		if _, err := io.ReadFull(rand, scalar); err != nil {
			return nil, fmt.Errorf("draw a key: %w", err)
		}
		if key, err := ParseKey(scalar); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("draw a key: the random source gives no valid scalar")
}

// ParseKey reads what Bytes returned.
func ParseKey(scalar []byte) (*Key, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return nil, fmt.Errorf("parse a P-256 key: %w", err)
	}
	return &Key{private}, nil
}

// Bytes returns the scalar, 32 bytes: the private key in the clear.
func (k *Key) Bytes() ([]byte, error) { return k.private.Bytes() }

// Public returns the public key.
func (k *Key) Public() *ecdsa.PublicKey { return &k.private.PublicKey }

// DID returns the key as did:jwk, which is the public key itself.
func (k *Key) DID() string {
	jwk, err := json.Marshal(jose.JSONWebKey{Key: k.Public()})
	if err != nil { // of a P-256 key on its curve there is none
		return ""
	}
	return didJWK + encode(jwk)
}

// Sign signs claims, any value that has a JSON form, as a compact JWS. kid names the
// key: a DID URL.
func (k *Key) Sign(kid string, claims any) (string, error) {
	return k.sign(typeJWT, kid, claims)
}

func (k *Key) sign(typ, kid string, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign a %s: %w", typ, err)
	}
	signing := jose.SigningKey{Algorithm: jose.ES256, Key: signer{k.private, kid}}
	s, err := jose.NewSigner(signing, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", fmt.Errorf("sign a %s: %w", typ, err)
	}
	signed, err := s.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign a %s: %w", typ, err)
	}
	return signed.CompactSerialize()
}

// signer makes go-jose sign without randomness.
type signer struct {
	private *ecdsa.PrivateKey
	kid     string
}

func (s signer) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: &s.private.PublicKey, KeyID: s.kid}
}

func (s signer) Algs() []jose.SignatureAlgorithm { return []jose.SignatureAlgorithm{jose.ES256} }

// SignPayload returns R and S, 32 bytes each (RFC 7518, section 3.4). Without a source
// of randomness, crypto/ecdsa takes the nonce of RFC 6979.
func (s signer) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	digest := sha256.Sum256(payload)
	der, err := s.private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var parts struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	parts.R.FillBytes(out[:32])
	parts.S.FillBytes(out[32:])
	return out, nil
}
