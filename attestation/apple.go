package attestation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// FormatApple is the Apple anonymous attestation statement format (section 8.8).
const FormatApple = "apple"

// oidAppleNonce is the extension of a credential certificate that holds the nonce
// (section 8.8).
var oidAppleNonce = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 8, 2}

// Apple makes apple attestation statements: for every credential a certificate of
// its own, so that no two can be linked. It is safe for concurrent use.
type Apple struct{ authority *Authority }

// Apple returns an anonymisation authority; its statements carry an intermediate
// certificate, as Apple's do.
func (a *Authority) Apple() (*Apple, error) {
	sub, err := a.Intermediate("Anonymisation CA")
	return &Apple{sub}, err
}

// Formats returns apple.
func (p *Apple) Formats() []string { return []string{FormatApple} }

// Attest certifies the credential's public key, with the hash of authenticatorData ‖
// clientDataHash in the certificate.
func (p *Apple) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	_, public, err := cose.Parse(r.PublicKey)
	if err != nil {
		return "", nil, fmt.Errorf("apple attestation: %w", err)
	}
	template, err := AppleTemplate(r)
	if err != nil {
		return "", nil, fmt.Errorf("apple attestation: %w", err)
	}
	x5c, err := p.authority.Issue(template, public)
	if err != nil {
		return "", nil, fmt.Errorf("apple attestation: %w", err)
	}
	statement, err := ctap.Encode(map[string]any{"x5c": x5c})
	return FormatApple, statement, err
}

// appleNonce is the content of the extension.
type appleNonce struct {
	Nonce []byte `asn1:"tag:1,explicit"`
}

// AppleTemplate returns the certificate of a credential (section 8.8).
func AppleTemplate(r authenticator.AttestationRequest) (*x509.Certificate, error) {
	nonce := nonceOf(r.AuthData, r.ClientDataHash)
	value, err := asn1.Marshal(appleNonce{nonce})
	if err != nil {
		return nil, err
	}
	name := sha256.Sum256(r.CredentialID)
	return &x509.Certificate{
		Subject: pkix.Name{
			Organization: []string{organization}, OrganizationalUnit: []string{"AAA Certification"},
			CommonName: hex.EncodeToString(name[:]),
		},
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oidAppleNonce, Value: value}},
	}, nil
}

func nonceOf(authData, clientDataHash []byte) []byte {
	hash := sha256.New()
	hash.Write(authData)
	hash.Write(clientDataHash)
	return hash.Sum(nil)
}

// verifyApple follows the verification procedure of section 8.8.
func verifyApple(v verification) (Result, error) {
	var s struct {
		X5C []ctap.Bytes `cbor:"x5c"`
	}
	if err := v.decode(&s, []string{"x5c"}); err != nil {
		return Result{}, err
	}
	chain, err := parseChain(s.X5C)
	if err != nil {
		return Result{}, err
	}
	if err := checkAppleNonce(chain[0], nonceOf(v.authData, v.hash)); err != nil {
		return Result{}, err
	}
	if err := v.checkSubjectKey(chain[0]); err != nil {
		return Result{}, err
	}
	return Result{Type: AnonCA, Chain: chain}, nil
}

func checkAppleNonce(leaf *x509.Certificate, want []byte) error {
	value, ok := extension(leaf, oidAppleNonce)
	if !ok {
		return errors.New("the certificate has no nonce extension")
	}
	var got appleNonce
	if rest, err := asn1.Unmarshal(value, &got); err != nil || len(rest) != 0 {
		return errors.New("the nonce extension is not of its form")
	}
	if !bytes.Equal(got.Nonce, want) {
		return errors.New("the nonce is not the hash of authenticator data and client data hash")
	}
	return nil
}

// extension returns the value of the extension of an identifier.
func extension(c *x509.Certificate, id asn1.ObjectIdentifier) (value []byte, ok bool) {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Value, true
		}
	}
	return nil, false
}
