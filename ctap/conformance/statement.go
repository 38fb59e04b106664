package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Statement is the metadata statement of the authenticator's model (FIDO Metadata
// Statement 3.1, section 4), as far as cases compare it with the authenticator.
type Statement struct {
	AAGUID           string                 `json:"aaguid"`
	KeyIdentifiers   []string               `json:"attestationCertificateKeyIdentifiers"`
	LegalHeader      string                 `json:"legalHeader"`
	Description      string                 `json:"description"`
	Version          *uint                  `json:"authenticatorVersion"`
	ProtocolFamily   string                 `json:"protocolFamily"`
	Schema           uint                   `json:"schema"`
	UPV              []StatedVersion        `json:"upv"`
	Algorithms       []string               `json:"authenticationAlgorithms"`
	KeyEncodings     []string               `json:"publicKeyAlgAndEncodings"`
	AttestationTypes []string               `json:"attestationTypes"`
	UserVerification [][]StatedVerification `json:"userVerificationDetails"`
	KeyProtection    []string               `json:"keyProtection"`
	Matcher          []string               `json:"matcherProtection"`
	AttachmentHint   []string               `json:"attachmentHint"`
	TCDisplay        []string               `json:"tcDisplay"`
	Roots            [][]byte               `json:"attestationRootCertificates"` // DER
	MultiDevice      string                 `json:"multiDeviceCredentialSupport"`
	Extensions       []struct {
		ID string `json:"id"`
	} `json:"supportedExtensions"`
	GetInfo map[string]json.RawMessage `json:"authenticatorGetInfo"` // by the names of section 6.4
}

// StatedVersion is a version of a protocol.
type StatedVersion struct {
	Major uint `json:"major"`
	Minor uint `json:"minor"`
}

// StatedVerification is VerificationMethodDescriptor.
type StatedVerification struct {
	Method string `json:"userVerificationMethod"`
	Code   *struct {
		MinLength  uint `json:"minLength"`
		MaxRetries uint `json:"maxRetries"`
	} `json:"caDesc"`
	Biometric *struct {
		MaxRetries uint `json:"maxRetries"`
	} `json:"baDesc"`
}

// ParseStatement reads a metadata statement, or an entry of a metadata BLOB with one in
// it, which are JSON.
func ParseStatement(b []byte) (*Statement, error) {
	var entry struct {
		Statement json.RawMessage `json:"metadataStatement"`
	}
	if err := json.Unmarshal(b, &entry); err != nil {
		return nil, fmt.Errorf("metadata statement: %w", err)
	}
	if entry.Statement != nil {
		b = entry.Statement
	}
	s := &Statement{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("metadata statement: %w", err)
	}
	if s.ProtocolFamily == "" {
		return nil, errors.New("metadata statement: protocolFamily is missing; it must be a MetadataStatement, or an entry of a BLOB with one")
	}
	return s, nil
}

// Described is a [Target] that knows the metadata statement of its authenticator.
type Described interface {
	// Statement returns the statement in JSON.
	Statement() ([]byte, error)
}

// learnStatement finds the statement: the one that was given, or the target's own.
func (b *bench) learnStatement(given *Statement) error {
	b.facts.Statement = given
	own, ok := b.target.(Described)
	if given != nil || !ok {
		return nil
	}
	text, err := own.Statement()
	if err == nil {
		b.facts.Statement, err = ParseStatement(text)
	}
	return err
}

// HasStatement needs the metadata statement of the authenticator.
func HasStatement() Need {
	return func(f *Facts) string { return unless(f.Statement != nil, "its metadata statement was not given") }
}
