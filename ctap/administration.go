package ctap

import "github.com/fxamacker/cbor/v2"

// The subcommands of authenticatorBioEnrollment (section 6.7).
const (
	EnrollBegin              uint = 0x01
	EnrollCaptureNextSample  uint = 0x02
	CancelCurrentEnrollment  uint = 0x03
	EnumerateEnrollments     uint = 0x04
	SetFriendlyName          uint = 0x05
	RemoveEnrollment         uint = 0x06
	GetFingerprintSensorInfo uint = 0x07
)

// ModalityFingerprint is the one modality of section 6.7.
const ModalityFingerprint uint = 0x01

// The kinds of fingerprint sensor (section 6.7.2).
const (
	TouchSensor uint = 0x01
	SwipeSensor uint = 0x02
)

// BioEnrollmentRequest holds the parameters of authenticatorBioEnrollment
// (section 6.7). Params is the encoding of BioEnrollmentParams as it came, because
// it is what the platform authenticates.
type BioEnrollmentRequest struct {
	Modality          uint            `cbor:"1,keyasint,omitzero"`
	SubCommand        uint            `cbor:"2,keyasint,omitzero"`
	Params            cbor.RawMessage `cbor:"3,keyasint,omitzero"`
	PinUvAuthProtocol uint            `cbor:"4,keyasint,omitzero"`
	PinUvAuthParam    Bytes           `cbor:"5,keyasint,omitzero"`
	GetModality       bool            `cbor:"6,keyasint,omitzero"`
}

// BioEnrollmentParams are the parameters of a bio enrolment subcommand
// (section 6.7).
type BioEnrollmentParams struct {
	TemplateID   Bytes   `cbor:"1,keyasint,omitzero"`
	FriendlyName *string `cbor:"2,keyasint,omitzero"` // templateFriendlyName
	Timeout      uint    `cbor:"3,keyasint,omitzero"` // timeoutMilliseconds
}

// BioEnrollmentResponse is the answer to authenticatorBioEnrollment (section 6.7).
type BioEnrollmentResponse struct {
	Modality             uint           `cbor:"1,keyasint,omitzero"`
	FingerprintKind      uint           `cbor:"2,keyasint,omitzero"`
	MaxCaptureSamples    uint           `cbor:"3,keyasint,omitzero"` // maxCaptureSamplesRequiredForEnroll
	TemplateID           Bytes          `cbor:"4,keyasint,omitzero"`
	LastSampleStatus     *SampleStatus  `cbor:"5,keyasint,omitzero"` // lastEnrollSampleStatus
	RemainingSamples     *uint          `cbor:"6,keyasint,omitzero"`
	Templates            []TemplateInfo `cbor:"7,keyasint,omitzero"` // templateInfos
	MaxFriendlyNameBytes uint           `cbor:"8,keyasint,omitzero"` // maxTemplateFriendlyName
}

// TemplateInfo names one enrolled fingerprint (section 6.7.6).
type TemplateInfo struct {
	ID           Bytes  `cbor:"1,keyasint"`
	FriendlyName string `cbor:"2,keyasint"` // there even when it is empty: python-fido2 cannot do without
}

// SampleStatus is how one capture of a fingerprint went: lastEnrollSampleStatus
// (section 6.7.4).
type SampleStatus uint

// The sample statuses of section 6.7.4; 0x0C is not used.
const (
	SampleGood           SampleStatus = 0x00
	SampleTooHigh        SampleStatus = 0x01
	SampleTooLow         SampleStatus = 0x02
	SampleTooLeft        SampleStatus = 0x03
	SampleTooRight       SampleStatus = 0x04
	SampleTooFast        SampleStatus = 0x05
	SampleTooSlow        SampleStatus = 0x06
	SamplePoorQuality    SampleStatus = 0x07
	SampleTooSkewed      SampleStatus = 0x08
	SampleTooShort       SampleStatus = 0x09
	SampleMergeFailure   SampleStatus = 0x0A
	SampleExists         SampleStatus = 0x0B
	SampleNoUserActivity SampleStatus = 0x0D
	SampleNoUpTransition SampleStatus = 0x0E
)

// LargeBlobsRequest holds the parameters of authenticatorLargeBlobs (section 6.10).
// The pointers tell absent from zero.
type LargeBlobsRequest struct {
	Get               *uint `cbor:"1,keyasint,omitzero"` // bytes wanted
	Set               Bytes `cbor:"2,keyasint,omitzero"` // a fragment; nil when absent
	Offset            *uint `cbor:"3,keyasint,omitzero"` // bytes
	Length            *uint `cbor:"4,keyasint,omitzero"` // bytes of the whole array, its hash included
	PinUvAuthParam    Bytes `cbor:"5,keyasint,omitzero"`
	PinUvAuthProtocol uint  `cbor:"6,keyasint,omitzero"`
}

// LargeBlobsResponse is the answer to a get of authenticatorLargeBlobs
// (section 6.10).
type LargeBlobsResponse struct {
	Config Bytes `cbor:"1,keyasint"` // a fragment of the serialized large-blob array
}

// The subcommands of authenticatorConfig (section 6.11).
const (
	EnableEnterpriseAttestation uint = 0x01
	ToggleAlwaysUV              uint = 0x02
	SetMinPINLength             uint = 0x03
	EnableLongTouchForReset     uint = 0x04
	VendorPrototype             uint = 0xFF
)

// ConfigRequest holds the parameters of authenticatorConfig (section 6.11). Params
// is kept as it came, because it is what the platform authenticates.
type ConfigRequest struct {
	SubCommand        uint            `cbor:"1,keyasint,omitzero"`
	Params            cbor.RawMessage `cbor:"2,keyasint,omitzero"`
	PinUvAuthProtocol uint            `cbor:"3,keyasint,omitzero"`
	PinUvAuthParam    Bytes           `cbor:"4,keyasint,omitzero"`
}

// SetMinPINLengthParams are the parameters of setMinPINLength (section 6.11.4).
type SetMinPINLengthParams struct {
	NewMinPINLength     *uint    `cbor:"1,keyasint,omitzero"` // code points
	MinPinLengthRPIDs   []string `cbor:"2,keyasint,omitzero"`
	ForceChangePin      bool     `cbor:"3,keyasint,omitzero"`
	PinComplexityPolicy *bool    `cbor:"4,keyasint,omitzero"`
}

// VendorPrototypeParams are the parameters of vendorPrototype (section 6.11.5);
// further members belong to the vendor's command.
type VendorPrototypeParams struct {
	CommandID *uint64 `cbor:"1,keyasint,omitzero"` // vendorCommandId
}
