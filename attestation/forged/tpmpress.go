package forged

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"

	"github.com/google/go-tpm/tpm2"

	"fido-emu/attestation"
	"fido-emu/ctap/cose"
)

// tpm makes a tpm statement as a TPM would whose attestation key can be used for
// anything: a real one refuses to sign what it did not make.
func (p *press) tpm() (any, error) {
	area, err := p.publicArea()
	if err != nil {
		return nil, err
	}
	if p.pubArea != nil {
		area = p.pubArea(p, area)
	}
	info, err := p.attest(area)
	if err != nil {
		return nil, err
	}
	aik := p.root.Key("forged AIK")
	id := attestation.TPMIdentity{Manufacturer: attestation.TestManufacturer, Model: model, Version: "00010000"}
	if p.identity != nil {
		p.identity(&id)
	}
	template, err := attestation.AIKTemplate(id)
	if err != nil {
		return nil, err
	}
	x5c, err := p.certify(template, &aik.PublicKey)
	if err != nil {
		return nil, err
	}
	sig, err := p.sign(aik, info)
	if p.shownArea != nil {
		area = p.shownArea(area)
	}
	return p.change(map[string]any{
		"ver": "2.0", "alg": int(cose.ES256), "x5c": x5c, "sig": sig, "certInfo": info, "pubArea": area,
	}), err
}

// publicArea returns the TPMT_PUBLIC of the credential's key.
func (p *press) publicArea() ([]byte, error) {
	public, err := p.credentialKey()
	if err != nil {
		return nil, err
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a forged tpm statement is for an EC key, not for a %T", public)
	}
	return marshalArea(key)
}

func marshalArea(key *ecdsa.PublicKey) ([]byte, error) {
	point, err := key.Bytes()
	if err != nil {
		return nil, err
	}
	half := (len(point) - 1) / 2
	curve := map[elliptic.Curve]tpm2.TPMECCCurve{
		elliptic.P256(): tpm2.TPMECCNistP256, elliptic.P384(): tpm2.TPMECCNistP384, elliptic.P521(): tpm2.TPMECCNistP521,
	}[key.Curve]
	return tpm2.Marshal(tpm2.TPMTPublic{
		Type: tpm2.TPMAlgECC, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true, SignEncrypt: true},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
			Symmetric: tpm2.TPMTSymDefObject{Algorithm: tpm2.TPMAlgNull}, Scheme: tpm2.TPMTECCScheme{Scheme: tpm2.TPMAlgNull},
			CurveID: curve, KDF: tpm2.TPMTKDFScheme{Scheme: tpm2.TPMAlgNull},
		}),
		Unique: tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{
			X: tpm2.TPM2BECCParameter{Buffer: point[1 : 1+half]}, Y: tpm2.TPM2BECCParameter{Buffer: point[1+half:]},
		}),
	}), nil
}

// attest returns the TPMS_ATTEST that certifies an area.
func (p *press) attest(area []byte) ([]byte, error) {
	public, err := tpm2.Unmarshal[tpm2.TPMTPublic](area)
	if err != nil {
		return nil, err
	}
	name, err := tpm2.ObjectName(public)
	if err != nil {
		return nil, err
	}
	message := p.toBeSigned()
	if p.extraData != nil {
		message = p.extraData(message)
	}
	digest := sha256.Sum256(message)
	info := tpm2.Marshal(tpm2.TPMSAttest{
		Magic: tpm2.TPMGeneratedValue, Type: tpm2.TPMSTAttestCertify,
		ExtraData: tpm2.TPM2BData{Buffer: digest[:]},
		ClockInfo: tpm2.TPMSClockInfo{Safe: true},
		Attested:  tpm2.NewTPMUAttest(tpm2.TPMSTAttestCertify, &tpm2.TPMSCertifyInfo{Name: *name, QualifiedName: *name}),
	})
	if p.certInfo != nil {
		info = p.certInfo(info)
	}
	return info, nil
}
