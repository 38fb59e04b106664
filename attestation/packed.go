package attestation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// FormatPacked is the packed attestation statement format (section 8.2).
const FormatPacked = "packed"

// attestationUnit is the OU that section 8.2.1 requires.
const attestationUnit = "Authenticator Attestation"

// oidAAGUID is id-fido-gen-ce-aaguid (section 8.2.1).
var oidAAGUID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}

// Packed makes packed attestation statements with the batch key of one model: all
// devices of the model share it, as real ones share theirs by the 100,000
// (section 14.4.1). It is safe for concurrent use, and one value may serve any
// number of devices.
type Packed struct {
	identity
	device *Device // attests where an enterprise attestation was asked for; nil where none can be had
}

// identity is a key that attests, with the chain of its certificate.
type identity struct {
	key  *ecdsa.PrivateKey
	tail []byte // the statement behind the signature: x5c
	x5c  [][]byte
}

func newIdentity(key *ecdsa.PrivateKey, x5c [][]byte) (identity, error) {
	chain, err := ctap.Encode(x5c)
	return identity{key: key, x5c: x5c, tail: append([]byte("\x63x5c"), chain...)}, err
}

// Packed returns the attestation of a model, named for its certificate. The same
// authority gives the same model the same key and certificate every time.
func (a *Authority) Packed(aaguid ctap.AAGUID, model string) (*Packed, error) {
	key := a.deriveKey("packed", append(aaguid[:], model...))
	x5c, err := a.Issue(PackedTemplate(aaguid, model), &key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("attestation certificate of %q: %w", model, err)
	}
	batch, err := newIdentity(key, x5c)
	if err != nil {
		return nil, fmt.Errorf("attestation certificate of %q: %w", model, err)
	}
	return &Packed{identity: batch}, nil
}

// Enterprise returns a packed attestation that is p, but lets d attest where an
// enterprise attestation was asked for.
func (p *Packed) Enterprise(d *Device) *Packed {
	return &Packed{identity: p.identity, device: d}
}

// PackedTemplate returns what section 8.2.1 asks of the certificate of a model's
// attestation key.
func PackedTemplate(aaguid ctap.AAGUID, model string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{
			Country:            []string{country},
			Organization:       []string{organization},
			OrganizationalUnit: []string{attestationUnit},
			CommonName:         model,
		},
		KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{
			Id:    oidAAGUID,
			Value: append([]byte{asn1.TagOctetString, byte(len(aaguid))}, aaguid[:]...),
		}},
	}
}

// X5C returns the chain that the statements carry, in DER, the leaf first and the
// root left out.
func (p *Packed) X5C() [][]byte { return p.x5c }

// Formats returns packed.
func (p *Packed) Formats() []string { return []string{FormatPacked} }

// Attest signs authenticatorData ‖ clientDataHash with the batch key, or with the
// one device's where the request is for an enterprise attestation.
func (p *Packed) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	if r.Enterprise && p.device != nil {
		return p.device.attest(r)
	}
	return p.attest(r)
}

func (p *identity) attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	hash := sha256.New()
	hash.Write(r.AuthData)
	hash.Write(r.ClientDataHash)
	sig, err := p.key.Sign(nil, hash.Sum(make([]byte, 0, sha256.Size)), crypto.SHA256)
	if err != nil {
		return "", nil, fmt.Errorf("packed attestation: %w", err)
	}
	return FormatPacked, p.statement(sig), nil
}

// AttestU2F signs a U2F registration message with the batch key (FIDO U2F Raw
// Message Formats 1.2, section 4.3) and returns the batch certificate with it.
func (p *Packed) AttestU2F(message []byte) (certificate, signature []byte, err error) {
	digest := sha256.Sum256(message)
	signature, err = p.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, nil, fmt.Errorf("U2F attestation: %w", err)
	}
	return p.x5c[0], signature, nil
}

// statement writes {alg, sig, x5c}, already in canonical order. A DER signature
// has 24 to 255 bytes, so its length takes one byte.
func (p *identity) statement(sig []byte) []byte {
	b := make([]byte, 0, 16+len(sig)+len(p.tail))
	b = append(b, "\xa3\x63alg\x26\x63sig\x58"...) // -7, ES256
	b = append(b, byte(len(sig)))
	b = append(b, sig...)
	return append(b, p.tail...)
}

// packedStatement is packedStmtFormat (section 8.2).
type packedStatement struct {
	Algorithm int          `cbor:"alg"`
	Signature ctap.Bytes   `cbor:"sig"`
	X5C       []ctap.Bytes `cbor:"x5c"`
}

// verifyPacked follows the verification procedure of section 8.2.
func verifyPacked(v verification) (Result, error) {
	var s packedStatement
	if err := v.decode(&s, []string{"alg", "sig"}, "x5c"); err != nil {
		return Result{}, err
	}
	if s.X5C == nil {
		return verifySelf(v, s)
	}
	chain, err := parseChain(s.X5C)
	if err != nil {
		return Result{}, err
	}
	if err := checkPackedCertificate(chain[0]); err != nil {
		return Result{}, err
	}
	if err := checkCertifiedAAGUID(chain[0], v.data.Attested.AAGUID); err != nil {
		return Result{}, err
	}
	if err := cose.VerifyWith(cose.Algorithm(s.Algorithm), chain[0].PublicKey, v.signed(), s.Signature); err != nil {
		return Result{}, err
	}
	return Result{Type: Basic, Chain: chain}, nil
}

// verifySelf verifies a statement that the credential's own key signed.
func verifySelf(v verification, s packedStatement) (Result, error) {
	alg, public, err := cose.Parse(v.data.Attested.PublicKey)
	if err != nil {
		return Result{}, err
	}
	if int(alg) != s.Algorithm {
		return Result{}, fmt.Errorf("alg is %s, the credential's key is for %s", cose.Algorithm(s.Algorithm), alg)
	}
	if err := cose.VerifyWith(alg, public, v.signed(), s.Signature); err != nil {
		return Result{}, err
	}
	return Result{Type: Self}, nil
}

// checkPackedCertificate checks the requirements of section 8.2.1, and of 8.2.2 where
// the certificate is one device's.
func checkPackedCertificate(c *x509.Certificate) error {
	subject := c.Subject
	switch {
	case c.Version != 3:
		return fmt.Errorf("attestation certificate is version %d, want 3", c.Version)
	case len(subject.Country) != 1 || len(subject.Country[0]) != 2:
		return fmt.Errorf("attestation certificate has no two-letter country")
	case len(subject.Organization) == 0:
		return fmt.Errorf("attestation certificate names no organization")
	case len(subject.OrganizationalUnit) != 1 || subject.OrganizationalUnit[0] != attestationUnit:
		return fmt.Errorf("attestation certificate has OU %q, want %q", subject.OrganizationalUnit, attestationUnit)
	case subject.CommonName == "":
		return fmt.Errorf("attestation certificate has no common name")
	case !c.BasicConstraintsValid || c.IsCA:
		return fmt.Errorf("attestation certificate does not say that it is no authority's")
	}
	_, _, err := SerialNumber(c)
	return err
}
