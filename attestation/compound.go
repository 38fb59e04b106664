package attestation

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// FormatCompound is the compound attestation statement format (section 8.9).
const FormatCompound = "compound"

// Compound makes compound attestation statements: several statements about one
// credential. It is as safe for concurrent use as its members.
type Compound struct{ members []Maker }

// Maker is an attestation that knows in which formats it makes statements, as
// getInfo tells them (CTAP 2.3, section 6.4, attestationFormats).
type Maker interface {
	authenticator.Attestation
	Formats() []string
}

// NewCompound joins at least two attestations, none of them compound.
func NewCompound(members ...Maker) (*Compound, error) {
	if len(members) < 2 {
		return nil, fmt.Errorf("compound attestation: %d members, at least 2 needed", len(members))
	}
	return &Compound{members}, nil
}

// CompoundMember is one statement of a compound one.
type CompoundMember struct {
	Format    string          `cbor:"fmt"`
	Statement cbor.RawMessage `cbor:"attStmt"`
}

// Formats returns compound and the formats of the members.
func (c *Compound) Formats() []string {
	all := []string{FormatCompound}
	for _, m := range c.members {
		for _, format := range m.Formats() {
			if !slices.Contains(all, format) {
				all = append(all, format)
			}
		}
	}
	return all
}

// Attest lets every member attest, or one alone where the platform likes its format
// better (CTAP 2.3, section 6.1.2, attestationFormatsPreference).
func (c *Compound) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	if m := c.preferred(r.Formats); m != nil {
		return m.Attest(r)
	}
	members := make([]CompoundMember, len(c.members))
	for i, m := range c.members {
		var err error
		if members[i].Format, members[i].Statement, err = m.Attest(r); err != nil {
			return "", nil, fmt.Errorf("compound attestation: member %d: %w", i, err)
		}
		if members[i].Format == FormatCompound {
			return "", nil, fmt.Errorf("compound attestation: member %d is compound itself", i)
		}
	}
	statement, err := ctap.Encode(members)
	return FormatCompound, statement, err
}

// preferred returns the member whose format stands before compound in a preference.
func (c *Compound) preferred(formats []string) Maker {
	for _, format := range formats {
		if format == FormatCompound {
			return nil
		}
		for _, m := range c.members {
			if slices.Contains(m.Formats(), format) {
				return m
			}
		}
	}
	return nil
}

// verifyCompound follows the verification procedure of section 8.9. How many members
// must verify is a relying party's policy; here all must.
func verifyCompound(v verification) (Result, error) {
	var members []cbor.RawMessage
	if err := ctap.DecodeLoose(v.statement, &members); err != nil {
		return Result{}, fmt.Errorf("is not an array: %w", err)
	}
	if len(members) < 2 {
		return Result{}, fmt.Errorf("has %d members, want at least 2", len(members))
	}
	result := Result{Statements: make([]Result, len(members))}
	for i, raw := range members {
		var err error
		if result.Statements[i], err = verifyMember(v, raw); err != nil {
			return Result{}, fmt.Errorf("member %d: %w", i, err)
		}
	}
	result.Type = result.Statements[0].Type
	return result, nil
}

func verifyMember(v verification, raw []byte) (Result, error) {
	var member CompoundMember
	v.statement = raw
	if err := v.decode(&member, []string{"fmt", "attStmt"}); err != nil {
		return Result{}, err
	}
	if member.Format == FormatCompound {
		return Result{}, errors.New("is compound itself")
	}
	verify := verifiers[member.Format]
	if verify == nil {
		return Result{}, fmt.Errorf("format %q is not known", member.Format)
	}
	v.statement = member.Statement
	result, err := verify(v)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", member.Format, err)
	}
	result.Format = member.Format
	return result, nil
}
