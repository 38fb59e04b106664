package attestation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"time"
)

// Validity of every certificate, from an hour before the time that the authority
// was given.
const (
	backdated     = time.Hour
	validityYears = 20
)

// Authority is a test certificate authority: a root, or one that a root certified.
// It keeps no state but its key, so what it issues does not depend on what it
// issued before, and it is safe for concurrent use.
type Authority struct {
	seed        [32]byte
	notBefore   time.Time
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	root        *x509.Certificate
	chain       [][]byte // DER from this authority up to the root, the root left out
}

// NewAuthority makes a root called name. It draws 32 bytes from rand and derives
// all keys and serial numbers from them. Certificates are valid for 20 years from
// an hour before at.
func NewAuthority(name string, rand io.Reader, at time.Time) (*Authority, error) {
	a := &Authority{notBefore: at.Add(-backdated).UTC().Truncate(time.Second)}
	if _, err := io.ReadFull(rand, a.seed[:]); err != nil {
		return nil, fmt.Errorf("attestation authority %q: random source: %w", name, err)
	}
	a.key = a.deriveKey("root", []byte(name))
	template := authorityTemplate(name)
	var err error
	if a.certificate, err = a.sign(template, template, &a.key.PublicKey); err != nil {
		return nil, fmt.Errorf("attestation authority %q: %w", name, err)
	}
	a.root = a.certificate
	return a, nil
}

// Intermediate returns an authority called name that a certifies. Statements made
// with it carry its certificate after the leaf.
func (a *Authority) Intermediate(name string) (*Authority, error) {
	sub := &Authority{notBefore: a.notBefore, root: a.root}
	copy(sub.seed[:], a.derive("intermediate", []byte(name)))
	sub.key = sub.deriveKey("intermediate", []byte(name))
	template := authorityTemplate(name)
	template.MaxPathLenZero = true
	var err error
	if sub.certificate, err = a.sign(template, a.certificate, &sub.key.PublicKey); err != nil {
		return nil, fmt.Errorf("intermediate authority %q: %w", name, err)
	}
	sub.chain = append([][]byte{sub.certificate.Raw}, a.chain...)
	return sub, nil
}

// Root returns the certificate that relying parties trust.
func (a *Authority) Root() *x509.Certificate { return a.root }

// Certificate returns the authority's own certificate: the root's, or an
// intermediate one's.
func (a *Authority) Certificate() *x509.Certificate { return a.certificate }

// Chain returns what statements carry behind the leaf, in DER: this authority's
// certificate and those above it, the root left out.
func (a *Authority) Chain() [][]byte { return a.chain }

// Signer returns the authority's private key. It is a test authority: whoever has
// it may issue what a real one would not.
func (a *Authority) Signer() crypto.Signer { return a.key }

// Key returns the P-256 key of a label: the same authority has the same one every
// time.
func (a *Authority) Key(label string) *ecdsa.PrivateKey {
	return a.deriveKey("labelled", []byte(label))
}

// RootPEM returns the root as a PEM block, as relying parties read it from a file.
func (a *Authority) RootPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// Pool returns a pool that holds the root alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.root)
	return pool
}

// Issue signs a certificate for a public key and returns it in DER with the chain
// below the root, as x5c has it. Serial number, validity and what makes it no
// authority's are filled in.
func (a *Authority) Issue(template *x509.Certificate, public any) ([][]byte, error) {
	leaf, err := a.sign(template, a.certificate, public)
	if err != nil {
		return nil, err
	}
	return append([][]byte{leaf.Raw}, a.chain...), nil
}

// sign completes template with what is the same for every certificate and signs
// it. Without a reader, ECDSA signs deterministically (RFC 6979).
func (a *Authority) sign(template, parent *x509.Certificate, public any) (*x509.Certificate, error) {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	template.SerialNumber = a.serial(spki)
	template.NotBefore = a.notBefore
	template.NotAfter = a.notBefore.AddDate(validityYears, 0, 0)
	template.SignatureAlgorithm = x509.ECDSAWithSHA256
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(nil, template, parent, public, a.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// serial returns a positive serial number of at most 16 bytes (RFC 5280, section
// 4.1.2.2), one for each public key.
func (a *Authority) serial(spki []byte) *big.Int {
	b := a.derive("serial", spki)[:16]
	b[0] = b[0]&0x7F | 0x40
	return new(big.Int).SetBytes(b)
}

// derive returns 32 bytes that follow from the seed, a label and a context.
func (a *Authority) derive(label string, context []byte) []byte {
	mac := hmac.New(sha256.New, a.seed[:])
	mac.Write([]byte(label))
	mac.Write([]byte{0})
	mac.Write(context)
	return mac.Sum(nil)
}

// deriveKey returns the P-256 key of a label and a context: the first derived
// value that is a scalar of the curve, which all but one in 2^32 are.
func (a *Authority) deriveKey(label string, context []byte) *ecdsa.PrivateKey {
	scalar := a.derive(label+" key", context)
	for {
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar); err == nil {
			return key
		}
		scalar = a.derive(label+" key", scalar)
	}
}

// country is where the vendor of emulated authenticators is said to be: an ISO
// 3166 code that verifiers accept.
const country = "CH"

const organization = "fido-emu test attestation"

func authorityTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{
			Country:            []string{country},
			Organization:       []string{organization},
			OrganizationalUnit: []string{"Authenticator Attestation CA"},
			CommonName:         name,
		},
		IsCA:     true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}
