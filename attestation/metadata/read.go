package metadata

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"fido-emu/ctap"
)

// Trust is what a relying party takes from a BLOB: the roots behind each model and
// what was reported of it. It does not change.
type Trust struct {
	No         int       // of the BLOB: only one with a larger number takes its place
	NextUpdate time.Time // by when the next one comes
	Models     int       // how many it tells of

	byAAGUID map[ctap.AAGUID]*Known
	byKey    map[string]*Known // U2F: by the key identifier of an attestation certificate
}

// Known is a model that a BLOB tells of.
type Known struct {
	Title   string
	Roots   []*x509.Certificate // behind its attestation; none for self attestation
	Reports []Report            // in the order of the BLOB
}

// Read verifies a BLOB, a JWT, and takes from it what a relying party needs (MDS,
// section 3.2, steps 3 to 7). The chain in its header must lead to one of roots at a
// time; whether the number is larger than that of the BLOB before is for the caller to
// see, who knows it.
func Read(blob []byte, roots *x509.CertPool, at time.Time) (*Trust, error) {
	text := strings.TrimSpace(string(blob))
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.RS256, jose.PS256, jose.EdDSA})
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: not a signed JWT: %w", err)
	}
	chain, err := signed.Signatures[0].Header.Certificates(x509.VerifyOptions{
		Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: the certificates in its header lead to no trusted root: %w", err)
	}
	payload, err := signed.Verify(chain[0][0].PublicKey)
	if err != nil {
		return nil, fmt.Errorf("metadata BLOB: its signature is not that of the certificate in its header: %w", err)
	}
	return readPayload(payload)
}

// The parts of MetadataBLOBPayload that matter to a relying party. What else an entry
// holds, and what later versions add, is passed over.
type (
	payloadJSON struct {
		No         int         `json:"no"`
		NextUpdate string      `json:"nextUpdate"`
		Entries    []entryJSON `json:"entries"`
	}
	entryJSON struct {
		AAGUID         string   `json:"aaguid"`
		KeyIdentifiers []string `json:"attestationCertificateKeyIdentifiers"`
		Statement      struct {
			Description string   `json:"description"`
			Roots       []string `json:"attestationRootCertificates"`
		} `json:"metadataStatement"`
		Reports []StatusReport `json:"statusReports"`
	}
)

func readPayload(b []byte) (*Trust, error) {
	var p payloadJSON
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("metadata BLOB: payload: %w", err)
	}
	next, err := time.Parse(time.DateOnly, p.NextUpdate)
	if err != nil || p.Entries == nil {
		return nil, errors.New("metadata BLOB: payload: nextUpdate is no date, or entries are missing")
	}
	t := &Trust{No: p.No, NextUpdate: next, Models: len(p.Entries), byAAGUID: map[ctap.AAGUID]*Known{}, byKey: map[string]*Known{}}
	for i := range p.Entries {
		if err := t.enter(&p.Entries[i]); err != nil {
			return nil, fmt.Errorf("metadata BLOB: entry %d (%s): %w", i+1, p.Entries[i].Statement.Description, err)
		}
	}
	return t, nil
}

func (t *Trust) enter(e *entryJSON) error {
	k := &Known{Title: e.Statement.Description}
	for _, text := range e.Statement.Roots {
		root, err := readCertificate(text)
		if err != nil {
			return fmt.Errorf("attestation root: %w", err)
		}
		k.Roots = append(k.Roots, root)
	}
	for i := range e.Reports {
		r, err := e.Reports[i].read()
		if err != nil {
			return err
		}
		k.Reports = append(k.Reports, r)
	}
	for _, id := range e.KeyIdentifiers {
		t.byKey[strings.ToLower(id)] = k
	}
	if e.AAGUID == "" {
		return nil // U2F, or UAF, which no WebAuthn credential is of
	}
	a, err := ctap.ParseAAGUID(e.AAGUID)
	if err != nil {
		return err
	}
	t.byAAGUID[a] = k
	return nil
}

func (s *StatusReport) read() (r Report, err error) {
	r = Report{Status: Status(s.Status), URL: s.URL, Descriptor: s.CertificationDescriptor, Number: s.CertificateNumber}
	if s.EffectiveDate != "" {
		if r.Since, err = time.Parse(time.DateOnly, s.EffectiveDate); err != nil {
			return r, fmt.Errorf("status report %s: effective date: %w", s.Status, err)
		}
	}
	if s.Certificate != "" {
		if r.Certificate, err = readCertificate(s.Certificate); err != nil {
			return r, fmt.Errorf("status report %s: %w", s.Status, err)
		}
	}
	return r, nil
}

// readCertificate reads DER in base64, which some vendors wrap into lines.
func readCertificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Model returns what the BLOB tells of the model of an AAGUID or, where that is zeros,
// of the attestation certificate leaf, which may be nil. It is nil for a model that the
// BLOB does not know.
func (t *Trust) Model(a ctap.AAGUID, leaf *x509.Certificate) *Known {
	if a != (ctap.AAGUID{}) || leaf == nil {
		return t.byAAGUID[a]
	}
	id, err := keyIdentifier(leaf)
	if err != nil {
		return nil
	}
	return t.byKey[id]
}

// Undesired returns the first report in force at a time that speaks against the model,
// of its keys, its attestation or its user verification (MDS, section 3.1.4). chain is
// that of an attestation: a report of a certificate counts only where it is among them.
func (k *Known) Undesired(at time.Time, chain []*x509.Certificate) (Report, bool) {
	for _, r := range k.Reports {
		if r.Status.undesired() && !at.Before(r.Since) && r.concerns(chain) {
			return r, true
		}
	}
	return Report{}, false
}

func (s Status) undesired() bool {
	switch s {
	case UserVerificationBypass, AttestationKeyCompromise, UserKeyRemoteCompromise, UserKeyPhysicalCompromise, Revoked:
		return true
	}
	return false
}

func (r *Report) concerns(chain []*x509.Certificate) bool {
	if r.Certificate == nil {
		return true
	}
	for _, c := range chain {
		if c.Equal(r.Certificate) {
			return true
		}
	}
	return false
}
