package ctap

import "fmt"

// Command is the first byte of a request (section 6).
type Command byte

// The commands of CTAP 2.3 and the two prototypes of FIDO_2_1_PRE.
const (
	MakeCredential                    Command = 0x01
	GetAssertion                      Command = 0x02
	GetInfo                           Command = 0x04
	ClientPIN                         Command = 0x06
	Reset                             Command = 0x07
	GetNextAssertion                  Command = 0x08
	BioEnrollment                     Command = 0x09
	CredentialManagement              Command = 0x0A
	Selection                         Command = 0x0B
	LargeBlobs                        Command = 0x0C
	Config                            Command = 0x0D
	BioEnrollmentPreview              Command = 0x40
	CredentialManagementPreview       Command = 0x41
	firstVendorCommand, lastVendorCmd         = Command(0x40), Command(0xBF)
)

var commandNames = map[Command]string{
	MakeCredential:              "authenticatorMakeCredential",
	GetAssertion:                "authenticatorGetAssertion",
	GetInfo:                     "authenticatorGetInfo",
	ClientPIN:                   "authenticatorClientPIN",
	Reset:                       "authenticatorReset",
	GetNextAssertion:            "authenticatorGetNextAssertion",
	BioEnrollment:               "authenticatorBioEnrollment",
	CredentialManagement:        "authenticatorCredentialManagement",
	Selection:                   "authenticatorSelection",
	LargeBlobs:                  "authenticatorLargeBlobs",
	Config:                      "authenticatorConfig",
	BioEnrollmentPreview:        "authenticatorBioEnrollment (preview)",
	CredentialManagementPreview: "authenticatorCredentialManagement (preview)",
}

// String returns the specification's name, such as authenticatorGetInfo.
func (c Command) String() string {
	if name, ok := commandNames[c]; ok {
		return name
	}
	if c >= firstVendorCommand && c <= lastVendorCmd {
		return fmt.Sprintf("vendor command 0x%02X", byte(c))
	}
	return fmt.Sprintf("command 0x%02X", byte(c))
}
