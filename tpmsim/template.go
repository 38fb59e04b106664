package tpmsim

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// signingKey returns the template of a key that signs with alg and never leaves
// its TPM (TPM 2.0 Library part 2, section 12.2). A restricted key, which attests, has
// its scheme; another leaves that to each signature, as the keys of Windows and of the
// W3C's test vector do, and relying parties are built to these. An algorithm that no
// template is for is ctap.ErrUnsupportedAlgorithm.
func signingKey(alg cose.Algorithm, restricted bool) (tpm2.TPMTPublic, error) {
	template := tpm2.TPMTPublic{
		NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM:            true,
			FixedParent:         true,
			SensitiveDataOrigin: true,
			UserWithAuth:        true,
			NoDA:                true,
			Restricted:          restricted,
			SignEncrypt:         true,
		},
	}
	switch alg {
	case cose.ES256:
		template.Type, template.Parameters = ecdsaKey(tpm2.TPMECCNistP256, tpm2.TPMAlgSHA256, restricted)
	case cose.ES384:
		template.Type, template.Parameters = ecdsaKey(tpm2.TPMECCNistP384, tpm2.TPMAlgSHA384, restricted)
	case cose.RS256:
		template.Type, template.Parameters = rsaKey(restricted)
	default:
		return template, fmt.Errorf("%w: %s", ctap.ErrUnsupportedAlgorithm, alg)
	}
	return template, nil
}

func ecdsaKey(curve tpm2.TPMECCCurve, hash tpm2.TPMAlgID, bound bool) (tpm2.TPMAlgID, tpm2.TPMUPublicParms) {
	p := &tpm2.TPMSECCParms{CurveID: curve}
	if bound {
		p.Scheme = tpm2.TPMTECCScheme{
			Scheme:  tpm2.TPMAlgECDSA,
			Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSigSchemeECDSA{HashAlg: hash}),
		}
	}
	return tpm2.TPMAlgECC, tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, p)
}

func rsaKey(bound bool) (tpm2.TPMAlgID, tpm2.TPMUPublicParms) {
	p := &tpm2.TPMSRSAParms{KeyBits: 2048}
	if bound {
		p.Scheme = tpm2.TPMTRSAScheme{
			Scheme:  tpm2.TPMAlgRSASSA,
			Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSigSchemeRSASSA{HashAlg: tpm2.TPMAlgSHA256}),
		}
	}
	return tpm2.TPMAlgRSA, tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, p)
}

// scheme returns the TPM's name of an algorithm that there is a template for.
func scheme(alg cose.Algorithm) tpm2.TPMTSigScheme {
	id, hash := tpm2.TPMAlgECDSA, tpm2.TPMAlgSHA256
	switch alg {
	case cose.ES384:
		hash = tpm2.TPMAlgSHA384
	case cose.RS256:
		id = tpm2.TPMAlgRSASSA
	}
	return tpm2.TPMTSigScheme{Scheme: id, Details: tpm2.NewTPMUSigScheme(id, &tpm2.TPMSSchemeHash{HashAlg: hash})}
}

// joinHandle returns TPM2B_PRIVATE ‖ TPM2B_PUBLIC.
func joinHandle(private tpm2.TPM2BPrivate, public tpm2.TPM2BPublic) []byte {
	return append(tpm2.Marshal(private), tpm2.Marshal(public)...)
}

var errHandle = errors.New("key handle is not a wrapped TPM key")

// splitHandle undoes joinHandle.
func splitHandle(handle []byte) (private tpm2.TPM2BPrivate, public tpm2.TPM2BPublic, err error) {
	first, rest, ok := cut2B(handle)
	second, rest, ok2 := cut2B(rest)
	if !ok || !ok2 || len(rest) != 0 {
		return private, public, errHandle
	}
	return tpm2.TPM2BPrivate{Buffer: first}, tpm2.BytesAs2B[tpm2.TPMTPublic](second), nil
}

// cut2B returns the content of the TPM2B that b begins with, and what follows it.
func cut2B(b []byte) (content, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b)-2 < n {
		return nil, nil, false
	}
	return b[2 : 2+n], b[2+n:], true
}
