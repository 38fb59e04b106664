package tpmsim

import (
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/google/go-tpm/tpm2"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// Keys makes and uses credential keys inside a TPM. It implements
// authenticator.Keys for ES256, ES384 and RS256 (2048 bits). A handle is the
// wrapped key, TPM2B_PRIVATE ‖ TPM2B_PUBLIC: some 220 bytes for ES256, and up to
// 1,020 for RS256.
type Keys struct{ tpm *TPM }

var _ authenticator.Keys = (*Keys)(nil)

// Keys returns the key store of the TPM.
func (t *TPM) Keys() *Keys { return &Keys{t} }

// Generate makes a key under the storage root key.
func (k *Keys) Generate(alg cose.Algorithm) (handle, public []byte, err error) {
	type pair struct{ handle, public []byte }
	p, err := do(context.Background(), k.tpm, func(s *session) (pair, error) {
		key, err := s.create(alg)
		if errors.Is(err, tpm2.TPMRCCurve) || errors.Is(err, tpm2.TPMRCAsymmetric) {
			err = fmt.Errorf("%w: %w", ctap.ErrUnsupportedAlgorithm, err)
		}
		if err != nil {
			return pair{}, err
		}
		public, err := key.cose(alg)
		return pair{key.handle, public}, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("TPM: generate %s key: %w", alg, err)
	}
	return p.handle, p.public, nil
}

// Sign signs message with the key of handle: DER for ECDSA, raw for RSA. The error
// wraps authenticator.ErrKeyLost when this TPM cannot unwrap the key.
func (k *Keys) Sign(alg cose.Algorithm, handle, message []byte) ([]byte, error) {
	if _, err := signingKey(alg, false); err != nil {
		return nil, fmt.Errorf("TPM: sign: %w", err)
	}
	signature, err := do(context.Background(), k.tpm, func(s *session) ([]byte, error) {
		key, err := s.load(handle)
		if err != nil {
			return nil, err
		}
		return s.sign(key, alg, message)
	})
	if err != nil {
		return nil, fmt.Errorf("TPM: sign with %s key: %w", alg, err)
	}
	return signature, nil
}

// sign hashes message outside the TPM, as an unrestricted key allows.
func (s *session) sign(key *object, alg cose.Algorithm, message []byte) ([]byte, error) {
	if err := key.fits(alg); err != nil {
		return nil, err
	}
	hash := cose.Hash(alg).New()
	hash.Write(message)
	r, err := tpm2.Sign{
		KeyHandle:  key.auth,
		Digest:     tpm2.TPM2BDigest{Buffer: hash.Sum(nil)},
		InScheme:   scheme(alg),
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck},
	}.Execute(s.tpm)
	if err != nil {
		return nil, fmt.Errorf("TPM2_Sign: %w", err)
	}
	return encodeSignature(r.Signature)
}

// encodeSignature turns a TPMT_SIGNATURE into the form that WebAuthn has (section
// 6.5.5).
func encodeSignature(sig tpm2.TPMTSignature) ([]byte, error) {
	switch sig.SigAlg {
	case tpm2.TPMAlgECDSA:
		ecdsa, err := sig.Signature.ECDSA()
		if err != nil {
			return nil, err
		}
		return asn1.Marshal(struct{ R, S *big.Int }{
			new(big.Int).SetBytes(ecdsa.SignatureR.Buffer),
			new(big.Int).SetBytes(ecdsa.SignatureS.Buffer),
		})
	case tpm2.TPMAlgRSASSA:
		rsa, err := sig.Signature.RSASSA()
		if err != nil {
			return nil, err
		}
		return rsa.Sig.Buffer, nil
	}
	return nil, fmt.Errorf("signature scheme %#04x is not known", uint16(sig.SigAlg))
}

// fits refuses an algorithm that is not the key's: its scheme is left to each signature,
// and the TPM would sign with any hash.
func (o *object) fits(alg cose.Algorithm) error {
	area, err := o.public.Contents()
	if err != nil {
		return err
	}
	template, err := signingKey(alg, false)
	if err != nil {
		return err
	}
	same := area.Type == template.Type
	if same && area.Type == tpm2.TPMAlgECC {
		has, err := area.Parameters.ECCDetail()
		if err != nil {
			return err
		}
		wants, err := template.Parameters.ECCDetail()
		if err != nil {
			return err
		}
		same = has.CurveID == wants.CurveID
	}
	if !same {
		return fmt.Errorf("the key is not one of %s", alg)
	}
	return nil
}

// cose returns the COSE_Key of a loaded object.
func (o *object) cose(alg cose.Algorithm) ([]byte, error) {
	area, err := o.public.Contents()
	if err != nil {
		return nil, err
	}
	public, err := attestation.TPMPublicKey(area)
	if err != nil {
		return nil, err
	}
	return cose.Marshal(alg, public)
}
