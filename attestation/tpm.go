package attestation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1" // RS1, which old TPMs attest with
	"errors"
	"fmt"
	"math/big"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-tpm/tpm2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// FormatTPM is the TPM attestation statement format (section 8.3).
const FormatTPM = "tpm"

// TPMStatement holds the parts of a tpm attestation statement.
type TPMStatement struct {
	Algorithm cose.Algorithm // of the attestation key
	X5C       [][]byte       // the AIK certificate and the authorities below the root, DER
	Signature []byte         // over CertInfo: DER for ECDSA, raw for RSA, as Windows has it
	CertInfo  []byte         // TPMS_ATTEST
	PubArea   []byte         // TPMT_PUBLIC of the credential's key
}

// Encode returns the statement in canonical CBOR.
func (s TPMStatement) Encode() (cbor.RawMessage, error) {
	b, err := ctap.Encode(struct {
		Version   string   `cbor:"ver"`
		Algorithm int      `cbor:"alg"`
		X5C       [][]byte `cbor:"x5c"`
		Signature []byte   `cbor:"sig"`
		CertInfo  []byte   `cbor:"certInfo"`
		PubArea   []byte   `cbor:"pubArea"`
	}{"2.0", int(s.Algorithm), s.X5C, s.Signature, s.CertInfo, s.PubArea})
	if err != nil {
		return nil, fmt.Errorf("tpm attestation statement: %w", err)
	}
	return b, nil
}

// tpmStatement is tpmStmtFormat (section 8.3).
type tpmStatement struct {
	Version   string       `cbor:"ver"`
	Algorithm int          `cbor:"alg"`
	X5C       []ctap.Bytes `cbor:"x5c"`
	Signature ctap.Bytes   `cbor:"sig"`
	CertInfo  ctap.Bytes   `cbor:"certInfo"`
	PubArea   ctap.Bytes   `cbor:"pubArea"`
}

// verifyTPM follows the verification procedure of section 8.3.
func verifyTPM(v verification) (Result, error) {
	var s tpmStatement
	if err := v.decode(&s, []string{"ver", "alg", "x5c", "sig", "certInfo", "pubArea"}); err != nil {
		return Result{}, err
	}
	if s.Version != "2.0" {
		return Result{}, fmt.Errorf("ver is %q, want 2.0", s.Version)
	}
	chain, err := parseChain(s.X5C)
	if err != nil {
		return Result{}, err
	}
	if err := checkPubArea(s.PubArea, v.data.Attested.PublicKey); err != nil {
		return Result{}, err
	}
	alg := cose.Algorithm(s.Algorithm)
	extraData, err := digest(alg, v.signed())
	if err != nil {
		return Result{}, err
	}
	if err := checkCertInfo(s.CertInfo, s.PubArea, extraData); err != nil {
		return Result{}, err
	}
	if err := verifyAIK(alg, chain[0].PublicKey, s.CertInfo, s.Signature); err != nil {
		return Result{}, err
	}
	if err := checkAIKCertificate(chain[0]); err != nil {
		return Result{}, err
	}
	if err := checkCertifiedAAGUID(chain[0], v.data.Attested.AAGUID); err != nil {
		return Result{}, err
	}
	return Result{Type: AttCA, Chain: chain}, nil
}

// unmarshalTPM reads a structure that takes up all of b; go-tpm leaves unread what
// follows it.
func unmarshalTPM[T tpm2.Marshallable, P interface {
	*T
	tpm2.Unmarshallable
}](b []byte) (*T, error) {
	v, err := tpm2.Unmarshal[T, P](b)
	if err != nil {
		return nil, err
	}
	if len(tpm2.Marshal(*v)) != len(b) {
		return nil, errors.New("has bytes left over")
	}
	return v, nil
}

// checkPubArea compares the TPM's public area with the credential's public key.
func checkPubArea(pubArea, credential []byte) error {
	area, err := unmarshalTPM[tpm2.TPMTPublic](pubArea)
	if err != nil {
		return fmt.Errorf("pubArea: %w", err)
	}
	certified, err := TPMPublicKey(area)
	if err != nil {
		return fmt.Errorf("pubArea: %w", err)
	}
	_, public, err := cose.Parse(credential)
	if err != nil {
		return err
	}
	if k, ok := public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(certified) {
		return errors.New("pubArea is not the credential's public key")
	}
	return nil
}

// checkCertInfo checks that certInfo certifies pubArea for what was signed.
func checkCertInfo(certInfo, pubArea, extraData []byte) error {
	info, err := unmarshalTPM[tpm2.TPMSAttest](certInfo)
	if err != nil {
		return fmt.Errorf("certInfo: %w", err)
	}
	if err := info.Magic.Check(); err != nil {
		return fmt.Errorf("certInfo: magic: %w", err)
	}
	certified, err := info.Attested.Certify()
	if err != nil || info.Type != tpm2.TPMSTAttestCertify {
		return fmt.Errorf("certInfo: type is %#04x, want TPM_ST_ATTEST_CERTIFY", uint16(info.Type))
	}
	if !bytes.Equal(info.ExtraData.Buffer, extraData) {
		return errors.New("certInfo: extraData is not the hash of authenticator data and client data hash")
	}
	area, err := unmarshalTPM[tpm2.TPMTPublic](pubArea)
	if err != nil {
		return fmt.Errorf("pubArea: %w", err)
	}
	name, err := tpm2.ObjectName(area)
	if err != nil {
		return fmt.Errorf("pubArea: %w", err)
	}
	if !bytes.Equal(certified.Name.Buffer, name.Buffer) {
		return errors.New("certInfo: the name is not that of pubArea")
	}
	return nil
}

// verifyAIK verifies the attestation key's signature over certInfo.
func verifyAIK(alg cose.Algorithm, public crypto.PublicKey, certInfo, signature []byte) error {
	if alg != cose.RS1 {
		return cose.VerifyWith(alg, public, certInfo, signature)
	}
	key, ok := public.(*rsa.PublicKey)
	d, err := digest(alg, certInfo)
	if !ok || err != nil || rsa.VerifyPKCS1v15(key, crypto.SHA1, d, signature) != nil {
		return fmt.Errorf("%w with %s", cose.ErrSignature, alg)
	}
	return nil
}

// digest hashes message as alg, which an attestation key may have, does.
func digest(alg cose.Algorithm, message []byte) ([]byte, error) {
	switch alg {
	case cose.RS1:
		d := sha1.Sum(message)
		return d[:], nil
	case cose.RS256, cose.PS256, cose.ES256, cose.ES384, cose.ES512:
		h := cose.Hash(alg).New()
		h.Write(message)
		return h.Sum(nil), nil
	}
	return nil, fmt.Errorf("alg: no TPM attests with %s", alg)
}

// TPMPublicKey returns the key of a TPM's public area, an *ecdsa.PublicKey or
// *rsa.PublicKey (TPM 2.0 Library part 2, section 12.2.4).
func TPMPublicKey(area *tpm2.TPMTPublic) (crypto.PublicKey, error) {
	switch area.Type {
	case tpm2.TPMAlgECC:
		return tpmECC(area)
	case tpm2.TPMAlgRSA:
		return tpmRSA(area)
	}
	return nil, fmt.Errorf("key type %#04x is neither RSA nor ECC", uint16(area.Type))
}

func tpmECC(area *tpm2.TPMTPublic) (crypto.PublicKey, error) {
	params, err := area.Parameters.ECCDetail()
	if err != nil {
		return nil, err
	}
	point, err := area.Unique.ECC()
	if err != nil {
		return nil, err
	}
	var curve elliptic.Curve
	switch params.CurveID {
	case tpm2.TPMECCNistP256:
		curve = elliptic.P256()
	case tpm2.TPMECCNistP384:
		curve = elliptic.P384()
	case tpm2.TPMECCNistP521:
		curve = elliptic.P521()
	default:
		return nil, fmt.Errorf("curve %#04x is not known", uint16(params.CurveID))
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(point.X.Buffer) > size || len(point.Y.Buffer) > size {
		return nil, errors.New("coordinates are too long for the curve")
	}
	encoded := make([]byte, 1+2*size)
	encoded[0] = 4
	copy(encoded[1+size-len(point.X.Buffer):], point.X.Buffer)
	copy(encoded[1+2*size-len(point.Y.Buffer):], point.Y.Buffer)
	return ecdsa.ParseUncompressedPublicKey(curve, encoded)
}

func tpmRSA(area *tpm2.TPMTPublic) (crypto.PublicKey, error) {
	params, err := area.Parameters.RSADetail()
	if err != nil {
		return nil, err
	}
	modulus, err := area.Unique.RSA()
	if err != nil {
		return nil, err
	}
	exponent := int(params.Exponent)
	if exponent == 0 { // stands for the default
		exponent = 65537
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus.Buffer), E: exponent}, nil
}
