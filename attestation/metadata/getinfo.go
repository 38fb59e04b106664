package metadata

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"fido-emu/ctap"
)

// GetInfo is AuthenticatorGetInfo (MS): what the model answers to
// authenticatorGetInfo when it is new. Members that change without anybody's doing
// are left out: remainingDiscoverableCredentials, uvCountSinceLastPinEntry,
// encIdentifier and encCredStoreState.
type GetInfo struct {
	Versions                      []string        `json:"versions"`
	Extensions                    []string        `json:"extensions,omitempty"`
	AAGUID                        string          `json:"aaguid"` // hexadecimal without dashes
	Options                       map[string]bool `json:"options,omitempty"`
	MaxMsgSize                    uint            `json:"maxMsgSize,omitempty"`
	PinUvAuthProtocols            []uint          `json:"pinUvAuthProtocols,omitempty"`
	MaxCredentialCountInList      uint            `json:"maxCredentialCountInList,omitempty"`
	MaxCredentialIDLength         uint            `json:"maxCredentialIdLength,omitempty"`
	Transports                    []string        `json:"transports,omitempty"`
	Algorithms                    []Parameters    `json:"algorithms,omitempty"`
	MaxSerializedLargeBlobArray   uint            `json:"maxSerializedLargeBlobArray,omitempty"`
	ForcePINChange                bool            `json:"forcePINChange,omitempty"`
	MinPINLength                  uint            `json:"minPINLength,omitempty"`
	FirmwareVersion               uint            `json:"firmwareVersion,omitempty"`
	MaxCredBlobLength             uint            `json:"maxCredBlobLength,omitempty"`
	MaxRPIDsForSetMinPINLength    *uint           `json:"maxRPIDsForSetMinPINLength,omitempty"`
	PreferredPlatformUvAttempts   uint            `json:"preferredPlatformUvAttempts,omitempty"`
	UvModality                    uint            `json:"uvModality,omitempty"`
	Certifications                map[string]uint `json:"certifications,omitempty"`
	VendorPrototypeConfigCommands []uint64        `json:"vendorPrototypeConfigCommands,omitempty"`
	AttestationFormats            []string        `json:"attestationFormats,omitempty"`
	LongTouchForReset             *bool           `json:"longTouchForReset,omitempty"`
	TransportsForReset            []string        `json:"transportsForReset,omitempty"`
	PinComplexityPolicy           *bool           `json:"pinComplexityPolicy,omitempty"`
	PinComplexityPolicyURL        string          `json:"pinComplexityPolicyURL,omitempty"` // the URL's bytes in base64
	MaxPINLength                  uint            `json:"maxPINLength,omitempty"`
	AuthenticatorConfigCommands   []uint          `json:"authenticatorConfigCommands,omitempty"`
}

// Parameters is PublicKeyCredentialParameters.
type Parameters struct {
	Type string `json:"type"`
	Alg  int    `json:"alg"`
}

// parseInfo reads an answer to authenticatorGetInfo.
func parseInfo(b []byte) (*GetInfo, error) {
	var i ctap.Info
	if err := ctap.Decode(b, &i); err != nil {
		return nil, fmt.Errorf("getInfo: %w", err)
	}
	if len(i.Versions) == 0 || len(i.AAGUID) != 16 {
		return nil, errors.New("getInfo: versions or AAGUID is missing")
	}
	info := &GetInfo{
		Versions: i.Versions, Extensions: i.Extensions, AAGUID: hex.EncodeToString(i.AAGUID), Options: i.Options,
		MaxMsgSize: i.MaxMsgSize, PinUvAuthProtocols: i.PinUvAuthProtocols,
		MaxCredentialCountInList: i.MaxCredentialCountInList, MaxCredentialIDLength: i.MaxCredentialIDLength,
		Transports: i.Transports, MaxSerializedLargeBlobArray: i.MaxSerializedLargeBlobArray,
		ForcePINChange: i.ForcePINChange, MinPINLength: i.MinPINLength, FirmwareVersion: i.FirmwareVersion,
		MaxCredBlobLength: i.MaxCredBlobLength, MaxRPIDsForSetMinPINLength: i.MaxRPIDsForSetMinPINLength,
		PreferredPlatformUvAttempts: i.PreferredPlatformUvAttempts, UvModality: i.UvModality, Certifications: i.Certifications,
		VendorPrototypeConfigCommands: i.VendorPrototypeConfigCommands, AttestationFormats: i.AttestationFormats,
		LongTouchForReset: i.LongTouchForReset, TransportsForReset: i.TransportsForReset, PinComplexityPolicy: i.PinComplexityPolicy,
		PinComplexityPolicyURL: base64.StdEncoding.EncodeToString(i.PinComplexityPolicyURL),
		MaxPINLength:           i.MaxPINLength, AuthenticatorConfigCommands: i.AuthenticatorConfigCommands,
	}
	for _, a := range i.Algorithms {
		info.Algorithms = append(info.Algorithms, Parameters{a.Type, a.Algorithm})
	}
	return info, nil
}
