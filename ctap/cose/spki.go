package cose

import (
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"filippo.io/mldsa/x509"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// SPKI returns a public key, of one of the types that the package names, as a
// SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7; RFC 9881 for ML-DSA).
func SPKI(public crypto.PublicKey) ([]byte, error) {
	var der []byte
	var err error
	if k, ok := public.(*secp256k1.PublicKey); ok {
		der, err = spkiSecp256k1(k)
	} else {
		der, err = x509.MarshalPKIXPublicKey(public)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return der, nil
}

// spkiSecp256k1 writes what crypto/x509 does not: id-ecPublicKey on secp256k1
// (RFC 5480, section 2.1; SEC 2, section A.2.1).
func spkiSecp256k1(k *secp256k1.PublicKey) ([]byte, error) {
	curve, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 132, 0, 10})
	if err != nil {
		return nil, err
	}
	point := k.SerializeUncompressed()
	return asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{
		pkix.AlgorithmIdentifier{
			Algorithm:  asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1},
			Parameters: asn1.RawValue{FullBytes: curve},
		},
		asn1.BitString{Bytes: point, BitLength: 8 * len(point)},
	})
}
