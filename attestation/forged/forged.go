// Package forged makes attestation statements that are wrong in exactly one way, to
// find out whether a relying party looks. A [Forgery] is the defect as data;
// [Forgery.Attestation] gives an authenticator the attestation that has it. The
// same statement without a defect, [Genuine], verifies: what refuses a forgery
// refuses it for its defect.
//
// Forgeries follow from the authority they are made with, like everything that it
// issues: from one seed they are the same byte for byte.
package forged

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// Forgery is one way in which an attestation can be wrong.
type Forgery struct {
	Name    string `json:"name"`    // format first, such as packed-expired
	Format  string `json:"format"`  // attestation statement format
	Section string `json:"section"` // what it violates
	Wrong   string `json:"wrong"`   // what is wrong, in a sentence
	Loses   string `json:"loses"`   // what a relying party that does not notice loses

	// NoAAGUID tells that the authenticator's AAGUID must be zeros, as fido-u2f has
	// it, for the defect to be the only one.
	NoAAGUID bool `json:"noAAGUID,omitempty"`

	alter alteration
}

// Catalogue returns all forgeries, by format.
func Catalogue() []Forgery {
	return slices.Concat(packedChain(), packedCertificate(), packedStatement(), packedSelf(),
		u2f(), tpmStructures(), tpmCertificate(), androidKey(), apple(), compound(), others())
}

// Lookup returns the forgery of a name.
func Lookup(name string) (Forgery, error) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(f Forgery) bool { return f.Name == name })
	if i < 0 {
		return Forgery{}, fmt.Errorf("there is no forgery %q; there are %s", name, strings.Join(names(all), ", "))
	}
	return all[i], nil
}

func names(all []Forgery) []string {
	n := make([]string, len(all))
	for i, f := range all {
		n[i] = f.Name
	}
	return n
}

// Attestation makes forged statements for an authenticator whose keys are in keys,
// with certificates from a test authority.
func (f Forgery) Attestation(root *attestation.Authority, keys authenticator.Keys) *Attestation {
	return &Attestation{forgery: f, root: root, keys: keys}
}

// Genuine returns the attestation that the forgeries of a format are made from. It
// has no defect.
func Genuine(format string, root *attestation.Authority, keys authenticator.Keys) *Attestation {
	return Forgery{Format: format}.Attestation(root, keys)
}

// Attestation makes the statements of one forgery. It is safe for concurrent use
// when its keys are.
type Attestation struct {
	forgery Forgery
	root    *attestation.Authority
	keys    authenticator.Keys
}

var _ attestation.Maker = (*Attestation)(nil)

// Formats returns the format of the forgery.
func (a *Attestation) Formats() []string { return []string{a.forgery.Format} }

// Attest makes the forged statement.
func (a *Attestation) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	p := &press{alteration: a.forgery.alter, request: r, root: a.root, keys: a.keys}
	statement, err := p.statement(a.forgery.Format)
	if err == nil && p.raw != nil {
		statement, err = p.raw(p, statement)
	}
	var encoded []byte
	if err == nil {
		encoded, err = ctap.Encode(statement)
	}
	if err == nil && p.bytes != nil {
		encoded = p.bytes(encoded)
	}
	if err != nil {
		return "", nil, fmt.Errorf("forgery %s: %w", a.forgery.Name, err)
	}
	format := a.forgery.Format
	if p.format != "" {
		format = p.format
	}
	return format, encoded, nil
}

// AttestU2F forges the attestation of a U2F registration message; only forgeries of
// fido-u2f do.
func (a *Attestation) AttestU2F(message []byte) (certificate, signature []byte, err error) {
	p := &press{alteration: a.forgery.alter, root: a.root, keys: a.keys}
	x5c, signature, err := p.signU2F(message)
	if err != nil || a.forgery.Format != attestation.FormatU2F || len(x5c) == 0 {
		return nil, nil, fmt.Errorf("forgery %s: no U2F registration: %w", a.forgery.Name, err)
	}
	return x5c[0], signature, nil
}
