package tpmsim

import (
	"bytes"
	"context"
	"crypto"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-tpm/tpm2"

	"fido-emu/attestation"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// Attestation makes tpm attestation statements: TPM2_Certify of the credential's
// key by an attestation key of the same TPM (WebAuthn, section 8.3). It implements
// authenticator.Attestation and is safe for concurrent use.
type Attestation struct {
	tpm *TPM
	alg cose.Algorithm
	x5c [][]byte
}

var _ authenticator.Attestation = (*Attestation)(nil)

// firmwareVersion is what AIK certificates say of a simulated TPM.
const firmwareVersion = "00010000"

// Attestation makes the TPM's attestation key for alg, ES256 or RS256, and has it
// certified by ca; model is the TPM's name in the certificate. Key and certificate
// outlast [TPM.Clear]. An RS256 key takes many times as long to make.
func (t *TPM) Attestation(ctx context.Context, ca *attestation.Authority, model string, alg cose.Algorithm) (*Attestation, error) {
	public, err := do(ctx, t, func(s *session) (crypto.PublicKey, error) {
		aik, err := s.attestationKey(alg)
		if err != nil {
			return nil, err
		}
		area, err := aik.public.Contents()
		if err != nil {
			return nil, err
		}
		return attestation.TPMPublicKey(area)
	})
	if err != nil {
		return nil, fmt.Errorf("TPM: %w", err)
	}
	x5c, err := ca.CertifyAIK(public, attestation.TPMIdentity{
		Manufacturer: attestation.TestManufacturer, Model: model, Version: firmwareVersion,
	})
	if err != nil {
		return nil, err
	}
	return &Attestation{tpm: t, alg: alg, x5c: x5c}, nil
}

// Attest certifies the key of the request, which the same TPM must have made.
func (a *Attestation) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	statement, err := do(context.Background(), a.tpm, func(s *session) (attestation.TPMStatement, error) {
		key, err := s.load(r.KeyHandle)
		if err != nil {
			return attestation.TPMStatement{}, err
		}
		aik, err := s.attestationKey(a.alg)
		if err != nil {
			return attestation.TPMStatement{}, err
		}
		return s.certify(key, aik, bytes.Join([][]byte{r.AuthData, r.ClientDataHash}, nil))
	})
	if err != nil {
		return "", nil, fmt.Errorf("TPM: attest: %w", err)
	}
	statement.X5C = a.x5c
	encoded, err := statement.Encode()
	return attestation.FormatTPM, encoded, err
}

// certify runs TPM2_Certify over key, with the hash of signed as its qualifying
// data.
func (s *session) certify(key, aik *object, signed []byte) (attestation.TPMStatement, error) {
	extraData := cose.Hash(aik.alg).New()
	extraData.Write(signed)
	r, err := tpm2.Certify{
		ObjectHandle:   key.auth,
		SignHandle:     aik.auth,
		QualifyingData: tpm2.TPM2BData{Buffer: extraData.Sum(nil)},
	}.Execute(s.tpm)
	if err != nil {
		return attestation.TPMStatement{}, fmt.Errorf("TPM2_Certify: %w", err)
	}
	signature, err := encodeSignature(r.Signature)
	if err != nil {
		return attestation.TPMStatement{}, err
	}
	return attestation.TPMStatement{
		Algorithm: aik.alg,
		Signature: signature,
		CertInfo:  r.CertifyInfo.Bytes(),
		PubArea:   key.public.Bytes(),
	}, nil
}
