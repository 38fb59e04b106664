// Package metadata writes a metadata BLOB: what a metadata service tells relying
// parties about models of authenticators (FIDO Metadata Service 3.1 and FIDO Metadata
// Statement 3.1, here MDS and MS).
//
// [Build] makes the payload from [Model]s, which are plain data, and [Payload.Sign]
// the signed BLOB, with a certificate of a test authority. From the same models,
// time and authority come the same bytes.
package metadata

import (
	"crypto/x509"
	"fmt"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// Model is a model of authenticator as its metadata describes it.
type Model struct {
	AAGUID     ctap.AAGUID      // zeros for a model that speaks U2F alone
	Title      string           // description, in English
	Info       []byte           // authenticatorGetInfo's answer when new, CBOR without the status; nil for U2F
	Algorithms []cose.Algorithm // preferred first

	Attestation  []attestation.Type  // that it can give, beside none
	Roots        []*x509.Certificate // behind it; none for self attestation
	Certificates []*x509.Certificate // that identify a model of U2F

	BuiltInUV  string // how it verifies its user by itself: fingerprint, face or passcode; empty for not at all
	PINRetries uint   // consecutive wrong PINs that it allows; 0 for the default, 8
	UVRetries  uint   // likewise of built-in user verification; 0 for the default, 5

	// Values of the FIDO Registry of Predefined Values, sections 3.2 and 3.3; 0 for
	// hardware with a secure element, and on chip.
	KeyProtection, MatcherProtection uint16

	Synced  bool     // its credentials can be copied to other devices
	Reports []Report // oldest first; none for a model that nobody has certified
}

// Report is a status report (MDS, section 3.1.3).
type Report struct {
	Status      Status
	Since       time.Time         // the date counts
	Certificate *x509.Certificate // that is concerned; nil for the whole model
	URL         string            // where there is more to read; may be empty
	Descriptor  string            // what was certified; may be empty
	Number      string            // of the certificate of certification; may be empty
}

// Status is the status of a model (MDS, section 3.1.4).
type Status string

// The statuses of MDS section 3.1.4. The first six tell of something wrong.
const (
	UserVerificationBypass    Status = "USER_VERIFICATION_BYPASS"
	AttestationKeyCompromise  Status = "ATTESTATION_KEY_COMPROMISE"
	UserKeyRemoteCompromise   Status = "USER_KEY_REMOTE_COMPROMISE"
	UserKeyPhysicalCompromise Status = "USER_KEY_PHYSICAL_COMPROMISE"
	Revoked                   Status = "REVOKED"
	Retired                   Status = "RETIRED"
	NotCertified              Status = "NOT_FIDO_CERTIFIED"
	SelfAssertionSubmitted    Status = "SELF_ASSERTION_SUBMITTED"
	UpdateAvailable           Status = "UPDATE_AVAILABLE"
	Certified                 Status = "FIDO_CERTIFIED"
	CertifiedL1               Status = "FIDO_CERTIFIED_L1"
	CertifiedL1Plus           Status = "FIDO_CERTIFIED_L1plus"
	CertifiedL2               Status = "FIDO_CERTIFIED_L2"
	CertifiedL2Plus           Status = "FIDO_CERTIFIED_L2plus"
	CertifiedL3               Status = "FIDO_CERTIFIED_L3"
	CertifiedL3Plus           Status = "FIDO_CERTIFIED_L3plus"
)

// Statuses returns all statuses.
func Statuses() []Status {
	return []Status{
		UserVerificationBypass, AttestationKeyCompromise, UserKeyRemoteCompromise, UserKeyPhysicalCompromise, Revoked, Retired,
		NotCertified, SelfAssertionSubmitted, UpdateAvailable, Certified,
		CertifiedL1, CertifiedL1Plus, CertifiedL2, CertifiedL2Plus, CertifiedL3, CertifiedL3Plus,
	}
}

// legalHeader is in every BLOB and statement; it must not be empty.
const legalHeader = "Metadata of emulated authenticators, for tests. Nothing here was certified by anyone."

// validity is how long after its making a BLOB is replaced by the next.
const validity = 30 * 24 * time.Hour

// Build makes the payload of a BLOB. at is the day that it is made on; no is its
// number, one more than that of the BLOB before it. The error names the model that
// cannot be described.
func Build(models []Model, at time.Time, no int) (*Payload, error) {
	p := &Payload{LegalHeader: legalHeader, No: no, NextUpdate: day(at.Add(validity)), Entries: []Entry{}}
	for _, m := range models {
		entry, err := m.entry(at)
		if err != nil {
			return nil, fmt.Errorf("metadata of %q: %w", m.Title, err)
		}
		p.Entries = append(p.Entries, *entry)
	}
	return p, nil
}

func (m *Model) entry(at time.Time) (*Entry, error) {
	statement, err := m.statement()
	if err != nil {
		return nil, err
	}
	reports := m.Reports
	if len(reports) == 0 {
		reports = []Report{{Status: NotCertified, Since: at}}
	}
	e := &Entry{
		AAGUID:         statement.AAGUID,
		KeyIdentifiers: statement.KeyIdentifiers,
		Statement:      *statement,
		Changed:        day(reports[len(reports)-1].Since),
	}
	for _, r := range reports {
		e.Reports = append(e.Reports, r.report())
	}
	return e, nil
}

func (r *Report) report() StatusReport {
	s := StatusReport{
		Status: string(r.Status), EffectiveDate: day(r.Since), URL: r.URL,
		CertificationDescriptor: r.Descriptor, CertificateNumber: r.Number,
	}
	if r.Certificate != nil {
		s.Certificate = base64DER(r.Certificate)
	}
	return s
}

// day is a date as ISO 8601 has it.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
