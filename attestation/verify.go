package attestation

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"fido-emu/ctap"
)

// FormatNone is the none attestation statement format (section 8.7).
const FormatNone = "none"

// Type is an attestation type (WebAuthn, section 6.5.4).
type Type string

// The attestation types of section 6.5.4.
const (
	None   Type = "None"
	Self   Type = "Self"
	Basic  Type = "Basic"
	AttCA  Type = "AttCA"
	AnonCA Type = "AnonCA"
)

// Result is what a valid attestation statement proves.
type Result struct {
	Format string
	Type   Type
	Chain  []*x509.Certificate // the trust path, the leaf first; nil for None and Self
}

// ErrStatement is in every error about an attestation statement that is malformed
// or does not verify.
var ErrStatement = errors.New("attestation statement")

// ErrUntrusted is in every error about a valid statement that no trusted root
// stands behind.
var ErrUntrusted = errors.New("attestation is not trusted")

// verifiers holds the verification procedure of each format (section 8).
var verifiers = map[string]func(verification) (Result, error){
	FormatNone:   verifyNone,
	FormatPacked: verifyPacked,
	FormatTPM:    verifyTPM,
}

// verification is what a verification procedure is given.
type verification struct {
	statement []byte
	authData  []byte
	data      *ctap.AuthenticatorData // authData, read; Attested is there
	hash      []byte                  // of the client data
}

// Verify runs the verification procedure of a format over the attStmt of an
// attestation object, CBOR, with the authenticator data and the hash of the
// client data (section 7.1, step 21). It judges the statement alone; whether the
// chain is trusted is for [Result.Trusted]. The error wraps ErrStatement.
func Verify(format string, statement, authData, clientDataHash []byte) (Result, error) {
	verify := verifiers[format]
	if verify == nil {
		return Result{}, fmt.Errorf("%w: format %q is not known", ErrStatement, format)
	}
	data, err := ctap.ParseAuthenticatorData(authData)
	if err == nil && data.Attested == nil {
		err = errors.New("authenticator data holds no credential")
	}
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	result, err := verify(verification{statement, authData, data, clientDataHash})
	if err != nil {
		return Result{}, fmt.Errorf("%w %s: %w", ErrStatement, format, err)
	}
	result.Format = format
	return result, nil
}

// Trusted returns nil when the chain leads to one of roots and was valid at the
// given time, and otherwise an error that wraps ErrUntrusted.
func (r Result) Trusted(roots *x509.CertPool, at time.Time) error {
	if len(r.Chain) == 0 {
		return fmt.Errorf("%w: %s attestation has no certificate", ErrUntrusted, r.Type)
	}
	intermediates := x509.NewCertPool()
	for _, c := range r.Chain[1:] {
		intermediates.AddCert(c)
	}
	_, err := checked(r.Chain[0]).Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	return nil
}

// checked returns leaf without the critical subject alternative name of an AIK
// certificate: crypto/x509 does not read a directory name, this package does.
func checked(leaf *x509.Certificate) *x509.Certificate {
	c := *leaf
	c.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(c.UnhandledCriticalExtensions),
		func(id asn1.ObjectIdentifier) bool { return id.Equal(oidSubjectAltName) })
	return &c
}

// verifyNone follows section 8.7: the statement is an empty map.
func verifyNone(v verification) (Result, error) {
	if len(v.statement) != 1 || v.statement[0] != 0xA0 {
		return Result{}, errors.New("is not an empty map")
	}
	return Result{Type: None}, nil
}

// decode reads the statement.
func (v verification) decode(into any) error {
	if err := ctap.DecodeLoose(v.statement, into); err != nil {
		return fmt.Errorf("is not of its format: %w", err)
	}
	return nil
}

// signed returns authenticatorData ‖ clientDataHash.
func (v verification) signed() []byte {
	return slices.Concat(v.authData, v.hash)
}

func parseChain(x5c []ctap.Bytes) ([]*x509.Certificate, error) {
	if len(x5c) == 0 {
		return nil, errors.New("x5c is empty")
	}
	chain := make([]*x509.Certificate, len(x5c))
	for i, der := range x5c {
		var err error
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("x5c[%d]: %w", i, err)
		}
	}
	return chain, nil
}

// checkCertifiedAAGUID compares the id-fido-gen-ce-aaguid extension, where c has
// it, with the authenticator's model (section 8.2, and 8.2.1 for its form).
func checkCertifiedAAGUID(c *x509.Certificate, want ctap.AAGUID) error {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidAAGUID) {
			continue
		}
		var got []byte
		rest, err := asn1.Unmarshal(e.Value, &got)
		switch {
		case err != nil || len(rest) != 0 || len(got) != len(want):
			return errors.New("AAGUID extension is not an octet string of 16 bytes")
		case e.Critical:
			return errors.New("AAGUID extension is critical")
		case ctap.AAGUID(got) != want:
			return fmt.Errorf("certificate is for AAGUID %s, the credential is from %s", ctap.AAGUID(got), want)
		}
	}
	return nil
}
