package ctap

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"
)

// PublicKeyCredential is the only credential type there is.
const PublicKeyCredential = "public-key"

// Bytes is a byte string in a message. Unlike a []byte it does not let itself be
// read from a list of integers; in Go the two are assignable to each other.
type Bytes []byte

// UnmarshalCBOR reads a byte string and nothing else. data is one well-formed item,
// which is all that the decoder hands out.
func (b *Bytes) UnmarshalCBOR(data []byte) error {
	if len(data) == 0 || data[0]>>5 != 2 {
		return ErrCBORUnexpectedType
	}
	head := 1
	if info := data[0] & 0x1F; info >= 24 {
		head += 1 << (info - 24)
	}
	if head > len(data) { // an indefinite length
		return ErrInvalidCBOR
	}
	*b = bytes.Clone(data[head:])
	return nil
}

// RelyingParty is a PublicKeyCredentialRpEntity.
type RelyingParty struct {
	ID   string `cbor:"id" json:"id"`
	Name string `cbor:"name,omitzero" json:"name,omitempty"`
}

// User is a PublicKeyCredentialUserEntity. ID is 1 to 64 bytes.
type User struct {
	ID          Bytes  `cbor:"id,omitzero" json:"id"`
	Name        string `cbor:"name,omitzero" json:"name,omitempty"`
	DisplayName string `cbor:"displayName,omitzero" json:"displayName,omitempty"`
}

// Descriptor is a PublicKeyCredentialDescriptor: it names one credential.
type Descriptor struct {
	ID         Bytes    `cbor:"id,omitzero" json:"id"`
	Type       string   `cbor:"type" json:"type"`
	Transports []string `cbor:"transports,omitzero" json:"transports,omitempty"`
}

// Parameters is a PublicKeyCredentialParameters: one algorithm on offer.
type Parameters struct {
	Algorithm int    `cbor:"alg" json:"alg"`
	Type      string `cbor:"type" json:"type"`
}

// MakeCredentialRequest holds the parameters of authenticatorMakeCredential
// (section 6.1).
type MakeCredentialRequest struct {
	ClientDataHash        Bytes                      `cbor:"1,keyasint,omitzero"`
	RP                    *RelyingParty              `cbor:"2,keyasint,omitzero"`
	User                  *User                      `cbor:"3,keyasint,omitzero"`
	PubKeyCredParams      []Parameters               `cbor:"4,keyasint,omitzero"`
	ExcludeList           []Descriptor               `cbor:"5,keyasint,omitzero"`
	Extensions            map[string]cbor.RawMessage `cbor:"6,keyasint,omitzero"`
	Options               map[string]bool            `cbor:"7,keyasint,omitzero"`
	PinUvAuthParam        Bytes                      `cbor:"8,keyasint,omitzero"`
	PinUvAuthProtocol     uint                       `cbor:"9,keyasint,omitzero"`
	EnterpriseAttestation *uint                      `cbor:"10,keyasint,omitzero"`
	AttestationFormats    []string                   `cbor:"11,keyasint,omitzero"`
}

// MakeCredentialResponse is the answer to authenticatorMakeCredential
// (section 6.1).
type MakeCredentialResponse struct {
	Format             string                     `cbor:"1,keyasint"`
	AuthData           Bytes                      `cbor:"2,keyasint"`
	AttStmt            cbor.RawMessage            `cbor:"3,keyasint"`
	EnterpriseAtt      bool                       `cbor:"4,keyasint,omitzero"`
	LargeBlobKey       Bytes                      `cbor:"5,keyasint,omitzero"`
	UnsignedExtensions map[string]cbor.RawMessage `cbor:"6,keyasint,omitzero"`
}

// GetAssertionRequest holds the parameters of authenticatorGetAssertion
// (section 6.2).
type GetAssertionRequest struct {
	RPID              string                     `cbor:"1,keyasint,omitzero"`
	ClientDataHash    Bytes                      `cbor:"2,keyasint,omitzero"`
	AllowList         []Descriptor               `cbor:"3,keyasint,omitzero"`
	Extensions        map[string]cbor.RawMessage `cbor:"4,keyasint,omitzero"`
	Options           map[string]bool            `cbor:"5,keyasint,omitzero"`
	PinUvAuthParam    Bytes                      `cbor:"6,keyasint,omitzero"`
	PinUvAuthProtocol uint                       `cbor:"7,keyasint,omitzero"`
}

// GetAssertionResponse is the answer to authenticatorGetAssertion and
// authenticatorGetNextAssertion (sections 6.2 and 6.3).
type GetAssertionResponse struct {
	Credential          *Descriptor                `cbor:"1,keyasint,omitzero"`
	AuthData            Bytes                      `cbor:"2,keyasint"`
	Signature           Bytes                      `cbor:"3,keyasint"`
	User                *User                      `cbor:"4,keyasint,omitzero"`
	NumberOfCredentials uint                       `cbor:"5,keyasint,omitzero"`
	UserSelected        bool                       `cbor:"6,keyasint,omitzero"`
	LargeBlobKey        Bytes                      `cbor:"7,keyasint,omitzero"`
	UnsignedExtensions  map[string]cbor.RawMessage `cbor:"8,keyasint,omitzero"`
}

// Info is the answer to authenticatorGetInfo (section 6.4). A member that is
// absent is its type's zero value; the pointers tell absent from zero where the
// difference matters.
type Info struct {
	Versions                         []string        `cbor:"1,keyasint"`
	Extensions                       []string        `cbor:"2,keyasint,omitzero"`
	AAGUID                           Bytes           `cbor:"3,keyasint"`
	Options                          map[string]bool `cbor:"4,keyasint,omitzero"`
	MaxMsgSize                       uint            `cbor:"5,keyasint,omitzero"`
	PinUvAuthProtocols               []uint          `cbor:"6,keyasint,omitzero"`
	MaxCredentialCountInList         uint            `cbor:"7,keyasint,omitzero"`
	MaxCredentialIDLength            uint            `cbor:"8,keyasint,omitzero"`
	Transports                       []string        `cbor:"9,keyasint,omitzero"`
	Algorithms                       []Parameters    `cbor:"10,keyasint,omitzero"`
	MaxSerializedLargeBlobArray      uint            `cbor:"11,keyasint,omitzero"`
	ForcePINChange                   bool            `cbor:"12,keyasint,omitzero"`
	MinPINLength                     uint            `cbor:"13,keyasint,omitzero"`
	FirmwareVersion                  uint            `cbor:"14,keyasint,omitzero"`
	MaxCredBlobLength                uint            `cbor:"15,keyasint,omitzero"`
	MaxRPIDsForSetMinPINLength       *uint           `cbor:"16,keyasint,omitzero"`
	PreferredPlatformUvAttempts      uint            `cbor:"17,keyasint,omitzero"`
	UvModality                       uint            `cbor:"18,keyasint,omitzero"`
	Certifications                   map[string]uint `cbor:"19,keyasint,omitzero"`
	RemainingDiscoverableCredentials *uint           `cbor:"20,keyasint,omitzero"`
	VendorPrototypeConfigCommands    []uint64        `cbor:"21,keyasint,omitzero"`
	AttestationFormats               []string        `cbor:"22,keyasint,omitzero"`
	UvCountSinceLastPinEntry         *uint           `cbor:"23,keyasint,omitzero"`
	LongTouchForReset                *bool           `cbor:"24,keyasint,omitzero"`
	EncIdentifier                    Bytes           `cbor:"25,keyasint,omitzero"`
	TransportsForReset               []string        `cbor:"26,keyasint,omitzero"`
	PinComplexityPolicy              *bool           `cbor:"27,keyasint,omitzero"`
	PinComplexityPolicyURL           Bytes           `cbor:"28,keyasint,omitzero"`
	MaxPINLength                     uint            `cbor:"29,keyasint,omitzero"`
	EncCredStoreState                Bytes           `cbor:"30,keyasint,omitzero"`
	AuthenticatorConfigCommands      []uint          `cbor:"31,keyasint,omitzero"`
}

// The subcommands of authenticatorClientPIN (section 6.5.5).
const (
	GetPINRetries    uint = 0x01
	GetKeyAgreement  uint = 0x02
	SetPIN           uint = 0x03
	ChangePIN        uint = 0x04
	GetPinToken      uint = 0x05
	GetTokenUsingUv  uint = 0x06 // getPinUvAuthTokenUsingUvWithPermissions
	GetUVRetries     uint = 0x07
	GetTokenUsingPin uint = 0x09 // getPinUvAuthTokenUsingPinWithPermissions
)

// Permissions is what a pinUvAuthToken may be used for (section 6.5.5.7).
type Permissions uint

// The permissions of section 6.5.5.7.
const (
	PermMakeCredential     Permissions = 0x01 // mc
	PermGetAssertion       Permissions = 0x02 // ga
	PermCredentialMgmt     Permissions = 0x04 // cm
	PermBioEnrollment      Permissions = 0x08 // be
	PermLargeBlobWrite     Permissions = 0x10 // lbw
	PermAuthenticatorCfg   Permissions = 0x20 // acfg
	PermCredentialMgmtRead Permissions = 0x40 // pcmr (2.2)
)

// ClientPINRequest holds the parameters of authenticatorClientPIN (section 6.5.5).
type ClientPINRequest struct {
	PinUvAuthProtocol uint            `cbor:"1,keyasint,omitzero"`
	SubCommand        uint            `cbor:"2,keyasint,omitzero"`
	KeyAgreement      cbor.RawMessage `cbor:"3,keyasint,omitzero"`
	PinUvAuthParam    Bytes           `cbor:"4,keyasint,omitzero"`
	NewPinEnc         Bytes           `cbor:"5,keyasint,omitzero"`
	PinHashEnc        Bytes           `cbor:"6,keyasint,omitzero"`
	Permissions       *Permissions    `cbor:"9,keyasint,omitzero"`
	RPID              *string         `cbor:"10,keyasint,omitzero"`
}

// ClientPINResponse is the answer to authenticatorClientPIN (section 6.5.5).
type ClientPINResponse struct {
	KeyAgreement    cbor.RawMessage `cbor:"1,keyasint,omitzero"`
	PinUvAuthToken  Bytes           `cbor:"2,keyasint,omitzero"`
	PINRetries      *uint           `cbor:"3,keyasint,omitzero"`
	PowerCycleState *bool           `cbor:"4,keyasint,omitzero"`
	UVRetries       *uint           `cbor:"5,keyasint,omitzero"`
}

// The subcommands of authenticatorCredentialManagement (section 6.8).
const (
	GetCredsMetadata          uint = 0x01
	EnumerateRPsBegin         uint = 0x02
	EnumerateRPsNext          uint = 0x03 // enumerateRPsGetNextRP
	EnumerateCredentialsBegin uint = 0x04
	EnumerateCredentialsNext  uint = 0x05 // enumerateCredentialsGetNextCredential
	DeleteCredential          uint = 0x06
	UpdateUserInformation     uint = 0x07
)

// CredentialManagementRequest holds the parameters of
// authenticatorCredentialManagement (section 6.8). Params is the encoding of
// CredentialManagementParams as it came, because it is what the platform
// authenticates.
type CredentialManagementRequest struct {
	SubCommand        uint            `cbor:"1,keyasint,omitzero"`
	Params            cbor.RawMessage `cbor:"2,keyasint,omitzero"`
	PinUvAuthProtocol uint            `cbor:"3,keyasint,omitzero"`
	PinUvAuthParam    Bytes           `cbor:"4,keyasint,omitzero"`
}

// CredentialManagementParams are the parameters of a credential management
// subcommand (section 6.8).
type CredentialManagementParams struct {
	RPIDHash     Bytes       `cbor:"1,keyasint,omitzero"`
	CredentialID *Descriptor `cbor:"2,keyasint,omitzero"`
	User         *User       `cbor:"3,keyasint,omitzero"`
}

// CredentialManagementResponse is the answer to authenticatorCredentialManagement
// (section 6.8).
type CredentialManagementResponse struct {
	ExistingCredentials  *uint           `cbor:"1,keyasint,omitzero"` // existingResidentCredentialsCount
	RemainingCredentials *uint           `cbor:"2,keyasint,omitzero"` // maxPossibleRemainingResidentCredentialsCount
	RP                   *RelyingParty   `cbor:"3,keyasint,omitzero"`
	RPIDHash             Bytes           `cbor:"4,keyasint,omitzero"`
	TotalRPs             uint            `cbor:"5,keyasint,omitzero"`
	User                 *User           `cbor:"6,keyasint,omitzero"`
	CredentialID         *Descriptor     `cbor:"7,keyasint,omitzero"`
	PublicKey            cbor.RawMessage `cbor:"8,keyasint,omitzero"`
	TotalCredentials     uint            `cbor:"9,keyasint,omitzero"`
	CredProtect          uint            `cbor:"10,keyasint,omitzero"`
	LargeBlobKey         Bytes           `cbor:"11,keyasint,omitzero"`
	ThirdPartyPayment    *bool           `cbor:"12,keyasint,omitzero"`
}
