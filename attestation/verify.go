package attestation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
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
	Chain  []*x509.Certificate // the trust path, the leaf first; nil for None and Self, and for compound

	// Statements holds what each member of a compound statement proves, in their
	// order; Type is then that of the first.
	Statements []Result
}

// ErrStatement is in every error about an attestation statement that is malformed
// or does not verify.
var ErrStatement = errors.New("attestation statement")

// ErrUntrusted is in every error about a valid statement that no trusted root
// stands behind.
var ErrUntrusted = errors.New("attestation is not trusted")

// verifiers holds the verification procedure of each format (section 8).
var verifiers = map[string]func(verification) (Result, error){
	FormatNone:       verifyNone,
	FormatPacked:     verifyPacked,
	FormatTPM:        verifyTPM,
	FormatAndroidKey: verifyAndroidKey,
	FormatU2F:        verifyU2F,
	FormatApple:      verifyApple,
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
	if format == FormatCompound {
		verify = verifyCompound
	}
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
// given time, and otherwise an error that wraps ErrUntrusted. Of a compound
// statement, every member that has a chain must be trusted, and one must have one.
func (r Result) Trusted(roots *x509.CertPool, at time.Time) error {
	if len(r.Statements) != 0 {
		return r.allTrusted(roots, at)
	}
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

func (r Result) allTrusted(roots *x509.CertPool, at time.Time) error {
	chains := 0
	for i, member := range r.Statements {
		if len(member.Chain) == 0 {
			continue
		}
		chains++
		if err := member.Trusted(roots, at); err != nil {
			return fmt.Errorf("member %d, %s: %w", i, member.Format, err)
		}
	}
	if chains == 0 {
		return fmt.Errorf("%w: no member of the compound attestation has a certificate", ErrUntrusted)
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

// decode reads the statement, which must have the required members and nothing
// beyond them and the optional ones: the syntaxes of section 8 are closed.
func (v verification) decode(into any, required []string, optional ...string) error {
	var members map[string]cbor.RawMessage
	if err := ctap.DecodeLoose(v.statement, &members); err != nil {
		return fmt.Errorf("is not of its format: %w", err)
	}
	for _, name := range required {
		if _, ok := members[name]; !ok {
			return fmt.Errorf("member %s is missing", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			return fmt.Errorf("member %q is not of this format", name)
		}
	}
	if err := ctap.DecodeLoose(v.statement, into); err != nil {
		return fmt.Errorf("is not of its format: %w", err)
	}
	return nil
}

// signed returns authenticatorData ‖ clientDataHash.
func (v verification) signed() []byte {
	return slices.Concat(v.authData, v.hash)
}

// parseChain reads x5c, in which every certificate must be followed by its issuer's
// (RFC 5280, section 6.1).
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
		if i > 0 && !bytes.Equal(chain[i-1].RawIssuer, chain[i].RawSubject) {
			return nil, fmt.Errorf("x5c[%d] is not the issuer of x5c[%d]", i, i-1)
		}
	}
	return chain, nil
}

// checkSubjectKey checks that the leaf is a certificate of the credential's own
// public key.
func (v verification) checkSubjectKey(leaf *x509.Certificate) error {
	_, public, err := cose.Parse(v.data.Attested.PublicKey)
	if err != nil {
		return err
	}
	if k, ok := public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(leaf.PublicKey) {
		return errors.New("the certificate is for another key than the credential's")
	}
	return nil
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
