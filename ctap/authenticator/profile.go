package authenticator

import (
	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// Profile says as data what kind of authenticator it is. The same profile may
// serve any number of authenticators; none of them changes it.
type Profile struct {
	Name     string      `yaml:"name" json:"name"`
	AAGUID   ctap.AAGUID `yaml:"aaguid" json:"aaguid"`
	Versions []string    `yaml:"versions" json:"versions"` // as in getInfo, FIDO_2_0 …

	// What it can do. Options that follow from these are worked out, so that
	// getInfo cannot contradict itself.
	Platform                    bool             `yaml:"platform" json:"platform"`                     // plat: built into a computer or phone
	Discoverable                bool             `yaml:"discoverable" json:"discoverable"`             // rk
	AlwaysDiscover              bool             `yaml:"alwaysDiscoverable" json:"alwaysDiscoverable"` // every credential becomes discoverable, as passkey providers do
	ClientPIN                   bool             `yaml:"clientPIN" json:"clientPIN"`
	BuiltInUV                   BuiltInUV        `yaml:"builtInUV" json:"builtInUV"`       // none, fingerprint, face, passcode
	PINProtocols                []uint           `yaml:"pinProtocols" json:"pinProtocols"` // preferred first
	Algorithms                  []cose.Algorithm `yaml:"algorithms" json:"algorithms"`     // preferred first
	Extensions                  []string         `yaml:"extensions" json:"extensions"`
	MakeCredNoUV                bool             `yaml:"makeCredUvNotRqd" json:"makeCredUvNotRqd"`
	AlwaysUV                    bool             `yaml:"alwaysUv" json:"alwaysUv"` // factory setting
	Transports                  []string         `yaml:"transports" json:"transports"`
	Attestation                 AttestationKind  `yaml:"attestation" json:"attestation"`
	BackupEligible              bool             `yaml:"backupEligible" json:"backupEligible"` // BE: its credentials sync
	Counter                     CounterKind      `yaml:"counter" json:"counter"`
	U2F                         bool             `yaml:"u2f" json:"u2f"` // CTAP1 beside CTAP2, or alone where Versions is empty
	CredentialManagement        bool             `yaml:"credentialManagement" json:"credentialManagement"`
	CredentialManagementPreview bool             `yaml:"credentialManagementPreview" json:"credentialManagementPreview"` // as FIDO_2_1_PRE has it
	Config                      bool             `yaml:"config" json:"config"`                                           // authenticatorConfig: always-UV, minimum PIN length
	ResetAnytime                bool             `yaml:"resetAnytime" json:"resetAnytime"`                               // has a display: no ten-second window
	NoMcGaWithPIN               bool             `yaml:"noMcGaPermissionsWithClientPin" json:"noMcGaPermissionsWithClientPin"`
	UVBioEnroll                 bool             `yaml:"uvBioEnroll" json:"uvBioEnroll"`                 // built-in user verification may grant be
	UVConfig                    bool             `yaml:"uvAcfg" json:"uvAcfg"`                           // and acfg
	ReadOnlyManagement          bool             `yaml:"perCredMgmtRO" json:"perCredMgmtRO"`             // persistent token for pcmr; encIdentifier with it
	EncCredStoreState           bool             `yaml:"encCredStoreState" json:"encCredStoreState"`     // needs perCredMgmtRO
	LargeBlobs                  bool             `yaml:"largeBlobs" json:"largeBlobs"`                   // authenticatorLargeBlobs
	LongTouchForReset           bool             `yaml:"longTouchForReset" json:"longTouchForReset"`     // config can ask for it
	PINComplexityPolicy         bool             `yaml:"pinComplexityPolicy" json:"pinComplexityPolicy"` // config can enforce it
	PINComplexityURL            string           `yaml:"pinComplexityPolicyURL" json:"pinComplexityPolicyURL"`
	VendorConfigCommands        []uint64         `yaml:"vendorConfigCommands" json:"vendorConfigCommands"` // vendorCommandIds that do nothing and answer so
	ResetTransports             []string         `yaml:"transportsForReset" json:"transportsForReset"`
	Certifications              map[string]uint  `yaml:"certifications" json:"certifications"`
	PINRetriesNeedPIN           bool             `yaml:"pinRetriesNeedPIN" json:"pinRetriesNeedPIN"`   // getPINRetries is PIN_NOT_SET while none is set, as YubiKeys have it
	Display                     bool             `yaml:"display" json:"display"`                       // the user picks among accounts on it; needs a User that is a Chooser
	DefaultCredProtect          uint8            `yaml:"defaultCredProtect" json:"defaultCredProtect"` // the lowest credProtect policy it makes credentials with, 0 as 1
	UVM                         UVM              `yaml:"uvm" json:"uvm"`                               // what the extension uvm tells
	Biometrics                  Biometrics       `yaml:"biometrics" json:"biometrics"`
	Enterprise                  Enterprise       `yaml:"enterprise" json:"enterprise"`

	// Quirks are the ways in which it breaks the specification, by name; none for an
	// authenticator that does not.
	Quirks []string `yaml:"quirks" json:"quirks,omitempty"`

	// Limits; 0 stands for the default in brackets.
	MaxMsgSize      uint `yaml:"maxMsgSize" json:"maxMsgSize"`                             // bytes [1200]
	MaxCredentials  uint `yaml:"maxCredentials" json:"maxCredentials"`                     // discoverable ones [100]
	MaxCredIDLength uint `yaml:"maxCredentialIdLength" json:"maxCredentialIdLength"`       // bytes [512]
	MaxCredsInList  uint `yaml:"maxCredentialCountInList" json:"maxCredentialCountInList"` // [16]
	MinPINLength    uint `yaml:"minPINLength" json:"minPINLength"`                         // code points [4]
	MaxPINLength    uint `yaml:"maxPINLength" json:"maxPINLength"`                         // [63]
	PINRetries      uint `yaml:"pinRetries" json:"pinRetries"`                             // [8]
	UVRetries       uint `yaml:"uvRetries" json:"uvRetries"`                               // [5]
	FirmwareVersion uint `yaml:"firmwareVersion" json:"firmwareVersion"`
	MaxLargeBlobs   uint `yaml:"maxSerializedLargeBlobArray" json:"maxSerializedLargeBlobArray"` // bytes [1024]
	MaxCredBlob     uint `yaml:"maxCredBlobLength" json:"maxCredBlobLength"`                     // bytes [32]
	MaxPINRPIDs     uint `yaml:"maxRPIDsForSetMinPINLength" json:"maxRPIDsForSetMinPINLength"`   // [8]
}

// Biometrics is a fingerprint sensor that can be taught (authenticatorBioEnrollment).
// A profile without it and with a fingerprint as its built-in user verification is of
// a key whose owner's finger was enrolled by other means, once and for all.
type Biometrics struct {
	Enrollment    bool `yaml:"enrollment" json:"enrollment"`       // bioEnroll
	Preview       bool `yaml:"preview" json:"preview"`             // as FIDO_2_1_PRE has it
	Swipe         bool `yaml:"swipe" json:"swipe"`                 // the sensor's kind; touch without
	Enrolled      uint `yaml:"enrolled" json:"enrolled"`           // templates that are there when it is new; a reset removes them
	MaxTemplates  uint `yaml:"maxTemplates" json:"maxTemplates"`   // [5]
	Samples       uint `yaml:"samples" json:"samples"`             // good ones that an enrolment takes [3]
	MaxNameLength uint `yaml:"maxNameLength" json:"maxNameLength"` // bytes [64]
}

// Enterprise is what enterprise attestation an authenticator can give (section 7.1).
type Enterprise struct {
	Capable bool     `yaml:"capable" json:"capable"` // ep; enabled by config
	RPIDs   []string `yaml:"rpIds" json:"rpIds"`     // relying parties of vendor-facilitated enterprise attestation
}

// UVM is how an authenticator protects what the extension uvm speaks of, as values of
// the FIDO registry of predefined values; 0 stands for the default in brackets.
type UVM struct {
	KeyProtection     uint16 `yaml:"keyProtection" json:"keyProtection"`         // KEY_PROTECTION [hardware and secure element, 0x0A]
	MatcherProtection uint16 `yaml:"matcherProtection" json:"matcherProtection"` // MATCHER_PROTECTION [on chip, 0x04]
}

// BuiltInUV is how an authenticator verifies its user by itself.
type BuiltInUV string

// The kinds of built-in user verification.
const (
	NoBuiltInUV BuiltInUV = ""
	Fingerprint BuiltInUV = "fingerprint"
	Face        BuiltInUV = "face"
	Passcode    BuiltInUV = "passcode"
)

// AttestationKind is how an authenticator attests to a new credential.
type AttestationKind string

// The kinds of attestation. External attestation comes from Env.Attestation.
const (
	NoAttestation       AttestationKind = "none"
	SelfAttestation     AttestationKind = "self"
	ExternalAttestation AttestationKind = "external"
)

// CounterKind is how an authenticator counts signatures.
type CounterKind string

// The kinds of signature counter.
const (
	GlobalCounter CounterKind = "global" // one for the device
	NoCounter     CounterKind = "none"   // always 0, as synced credentials have it
)
