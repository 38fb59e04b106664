package attestation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// FormatU2F is the FIDO U2F attestation statement format (section 8.6).
const FormatU2F = "fido-u2f"

// oidU2FTransports is id-fido-u2f-transports (FIDO U2F Authenticator Transports
// Extension 1.2).
var oidU2FTransports = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 2, 1, 1}

// U2F makes fido-u2f attestation statements, and attests to U2F registrations, with
// the batch key of one model. The statement has room for one certificate, so the
// authority that made it must be the one that is trusted. It is safe for concurrent
// use.
type U2F struct {
	key         *ecdsa.PrivateKey
	certificate []byte
}

// U2F returns the attestation of a U2F model, named for its certificate.
func (a *Authority) U2F(model string) (*U2F, error) {
	key := a.deriveKey("u2f", []byte(model))
	x5c, err := a.Issue(U2FTemplate(model), &key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("U2F attestation certificate of %q: %w", model, err)
	}
	return &U2F{key, x5c[0]}, nil
}

// U2FTemplate returns a certificate for a model of U2F authenticator on USB.
func U2FTemplate(model string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{
			Country:            []string{country},
			Organization:       []string{organization},
			OrganizationalUnit: []string{attestationUnit},
			CommonName:         model,
		},
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oidU2FTransports, Value: []byte{asn1.TagBitString, 2, 5, 0x20}}}, // bit 2, usb
	}
}

// X5C returns the certificate that the statements carry, in DER.
func (u *U2F) X5C() [][]byte { return [][]byte{u.certificate} }

// Formats returns fido-u2f.
func (u *U2F) Formats() []string { return []string{FormatU2F} }

// Attest signs the U2F registration message of a credential, which must be ES256.
func (u *U2F) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	data, err := ctap.ParseAuthenticatorData(r.AuthData)
	if err == nil && data.Attested == nil {
		err = errors.New("authenticator data holds no credential")
	}
	if err != nil {
		return "", nil, fmt.Errorf("fido-u2f attestation: %w", err)
	}
	message, err := U2FMessage(data, r.ClientDataHash)
	if err != nil {
		return "", nil, fmt.Errorf("fido-u2f attestation: %w", err)
	}
	certificate, signature, err := u.AttestU2F(message)
	if err != nil {
		return "", nil, err
	}
	statement, err := ctap.Encode(map[string]any{"sig": signature, "x5c": [][]byte{certificate}})
	return FormatU2F, statement, err
}

// AttestU2F signs a U2F registration message (FIDO U2F Raw Message Formats 1.2,
// section 4.3).
func (u *U2F) AttestU2F(message []byte) (certificate, signature []byte, err error) {
	digest := sha256.Sum256(message)
	signature, err = u.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, nil, fmt.Errorf("U2F attestation: %w", err)
	}
	return u.certificate, signature, nil
}

// U2FMessage returns what a U2F device signs at registration: 0x00 ‖ rpIdHash ‖
// clientDataHash ‖ credentialId ‖ publicKeyU2F (section 8.6).
func U2FMessage(data *ctap.AuthenticatorData, clientDataHash []byte) ([]byte, error) {
	point, err := cose.Point(data.Attested.PublicKey)
	if err != nil {
		return nil, err
	}
	return slices.Concat([]byte{0}, data.RPIDHash[:], clientDataHash, data.Attested.ID, point), nil
}

// u2fStatement is u2fStmtFormat (section 8.6).
type u2fStatement struct {
	X5C       []ctap.Bytes `cbor:"x5c"`
	Signature ctap.Bytes   `cbor:"sig"`
}

// verifyU2F follows the verification procedure of section 8.6. That the AAGUID is
// zero is CTAP's rule for credentials made over U2F (CTAP 2.3, section 10.2).
func verifyU2F(v verification) (Result, error) {
	var s u2fStatement
	if err := v.decode(&s, []string{"x5c", "sig"}); err != nil {
		return Result{}, err
	}
	if len(s.X5C) != 1 {
		return Result{}, fmt.Errorf("x5c has %d certificates, want 1", len(s.X5C))
	}
	chain, err := parseChain(s.X5C)
	if err != nil {
		return Result{}, err
	}
	public, ok := chain[0].PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return Result{}, errors.New("the certificate's key is not on P-256")
	}
	if v.data.Attested.AAGUID != (ctap.AAGUID{}) {
		return Result{}, fmt.Errorf("AAGUID is %s, want zeros", v.data.Attested.AAGUID)
	}
	message, err := U2FMessage(v.data, v.hash)
	if err != nil {
		return Result{}, err
	}
	if err := cose.VerifyWith(cose.ES256, public, message, s.Signature); err != nil {
		return Result{}, err
	}
	return Result{Type: Basic, Chain: chain}, nil
}
