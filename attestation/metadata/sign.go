package metadata

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/go-jose/go-jose/v4"

	"fido-emu/attestation"
)

// Sign returns the BLOB, a JWT (MDS, section 3.1.7): the payload, signed with a key
// whose certificate a test authority's intermediate one issued. Relying parties trust
// the authority's root. The chain is in the header, the root left out.
func (p *Payload) Sign(root *attestation.Authority) ([]byte, error) {
	sub, err := root.Intermediate("Metadata CA")
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: %w", err)
	}
	key := root.Key("metadata BLOB")
	x5c, err := sub.Issue(&x509.Certificate{
		Subject:  pkix.Name{Organization: []string{"fido-emu test metadata"}, CommonName: "Metadata BLOB Signing"},
		KeyUsage: x509.KeyUsageDigitalSignature,
	}, &key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: %w", err)
	}
	payload, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: %w", err)
	}
	return sign(payload, key, x5c)
}

func sign(payload []byte, key *ecdsa.PrivateKey, x5c [][]byte) ([]byte, error) {
	chain := make([]string, len(x5c))
	for i, der := range x5c {
		chain[i] = base64.StdEncoding.EncodeToString(der)
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("x5c", chain)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: deterministic{key}}, options)
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: %w", err)
	}
	blob, err := signed.CompactSerialize()
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: %w", err)
	}
	return []byte(blob), nil
}

// deterministic signs by RFC 6979, so that the same payload makes the same BLOB.
type deterministic struct{ key *ecdsa.PrivateKey }

// Public returns no key: the certificate is in the header.
func (d deterministic) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: &d.key.PublicKey, Algorithm: string(jose.ES256)}
}

// Algs returns ES256.
func (d deterministic) Algs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256}
}

// SignPayload returns r ‖ s (RFC 7518, section 3.4).
func (d deterministic) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	digest := sha256.Sum256(payload)
	der, err := d.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return rawSignature(der)
}

// rawSignature turns a signature in DER into r ‖ s, of 32 bytes each.
func rawSignature(der []byte) ([]byte, error) {
	var s struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		return nil, err
	}
	raw := make([]byte, 64)
	s.R.FillBytes(raw[:32])
	s.S.FillBytes(raw[32:])
	return raw, nil
}
