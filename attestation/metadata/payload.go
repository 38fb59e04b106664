package metadata

// Payload is MetadataBLOBPayload (MDS, section 3.1.6).
type Payload struct {
	LegalHeader string  `json:"legalHeader"`
	No          int     `json:"no"`
	NextUpdate  string  `json:"nextUpdate"` // YYYY-MM-DD, as all dates
	Entries     []Entry `json:"entries"`
}

// Entry is MetadataBLOBPayloadEntry (MDS, section 3.1.1). It is identified by the
// AAGUID, or for U2F by the key identifiers of attestation certificates.
type Entry struct {
	AAGUID         string         `json:"aaguid,omitempty"`
	KeyIdentifiers []string       `json:"attestationCertificateKeyIdentifiers,omitempty"` // lower-case hexadecimal
	Statement      Statement      `json:"metadataStatement"`
	Reports        []StatusReport `json:"statusReports"`
	Changed        string         `json:"timeOfLastStatusChange"`
}

// StatusReport is StatusReport (MDS, section 3.1.3).
type StatusReport struct {
	Status                  string `json:"status"`
	EffectiveDate           string `json:"effectiveDate,omitempty"`
	Certificate             string `json:"certificate,omitempty"` // DER in base64
	URL                     string `json:"url,omitempty"`
	CertificationDescriptor string `json:"certificationDescriptor,omitempty"`
	CertificateNumber       string `json:"certificateNumber,omitempty"`
}

// Statement is MetadataStatement (MS, section 4).
type Statement struct {
	LegalHeader      string            `json:"legalHeader"`
	AAGUID           string            `json:"aaguid,omitempty"`
	KeyIdentifiers   []string          `json:"attestationCertificateKeyIdentifiers,omitempty"`
	FriendlyNames    map[string]string `json:"friendlyNames"` // by language; written in the order of the languages
	Description      string            `json:"description"`
	Version          uint              `json:"authenticatorVersion"`
	ProtocolFamily   string            `json:"protocolFamily"` // u2f or fido2
	Schema           int               `json:"schema"`
	UPV              []Version         `json:"upv"`
	Algorithms       []string          `json:"authenticationAlgorithms"`
	KeyEncodings     []string          `json:"publicKeyAlgAndEncodings"`
	AttestationTypes []string          `json:"attestationTypes"`

	UserVerification [][]Verification `json:"userVerificationDetails"` // one of the outer list, all of the inner
	KeyProtection    []string         `json:"keyProtection"`
	KeyRestricted    bool             `json:"isKeyRestricted"`
	FreshUV          bool             `json:"isFreshUserVerificationRequired"`
	Matcher          []string         `json:"matcherProtection"`
	CryptoStrength   int              `json:"cryptoStrength"` // bits
	AttachmentHint   []string         `json:"attachmentHint"`
	TCDisplay        []string         `json:"tcDisplay"`
	Roots            []string         `json:"attestationRootCertificates"` // DER in base64
	MultiDevice      string           `json:"multiDeviceCredentialSupport"`
	Extensions       []Extension      `json:"supportedExtensions,omitempty"`
	GetInfo          *GetInfo         `json:"authenticatorGetInfo,omitempty"`
}

// Version is a version of the protocol.
type Version struct {
	Major int `json:"major"`
	Minor int `json:"minor"`
}

// Verification is VerificationMethodDescriptor (MS, section 3.5).
type Verification struct {
	Method    string     `json:"userVerificationMethod"`
	Code      *Code      `json:"caDesc,omitempty"`
	Biometric *Biometric `json:"baDesc,omitempty"`
}

// Code is CodeAccuracyDescriptor (MS, section 3.2).
type Code struct {
	Base          uint `json:"base"` // how many symbols there are
	MinLength     uint `json:"minLength"`
	MaxRetries    uint `json:"maxRetries"`
	BlockSlowdown uint `json:"blockSlowdown"` // seconds
}

// Biometric is BiometricAccuracyDescriptor (MS, section 3.3). An emulated sensor has
// no error rates, and none are stated.
type Biometric struct {
	MaxTemplates  uint `json:"maxTemplates,omitempty"`
	MaxRetries    uint `json:"maxRetries"`
	BlockSlowdown uint `json:"blockSlowdown"`
}

// Extension is ExtensionDescriptor (MS).
type Extension struct {
	ID            string `json:"id"`
	FailIfUnknown bool   `json:"fail_if_unknown"`
}
