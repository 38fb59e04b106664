package attestation

import (
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// Model is what the attestation of a device says of it.
type Model struct {
	AAGUID ctap.AAGUID
	Title  string // names the certificate
	Serial string // of this one device, for enterprise attestation; empty for none
}

// Attestation returns what attests, in a format, to the credentials of a device
// whose keys are in keys. In a compound statement the device's maker and the maker
// of its secure element vouch for it, each by a packed statement. The result is nil
// for tpm, which attests for itself, and for no format.
func (a *Authority) Attestation(format string, m Model, keys authenticator.Keys) (authenticator.Attestation, error) {
	switch format {
	case "", FormatTPM:
		return nil, nil
	case FormatPacked:
		return a.packedOf(m)
	case FormatU2F:
		return a.U2F(m.Title)
	case FormatAndroidKey:
		return a.AndroidKey(keys)
	case FormatApple:
		return a.Apple()
	case FormatCompound:
		packed, err := a.packedOf(m)
		if err != nil {
			return nil, err
		}
		element, err := a.Packed(m.AAGUID, m.Title+" secure element")
		if err != nil {
			return nil, err
		}
		return NewCompound(packed, element)
	}
	return nil, fmt.Errorf("nothing attests in format %q", format)
}

// packedOf returns the packed attestation of a device, enterprise attestation
// included where its serial number is known.
func (a *Authority) packedOf(m Model) (*Packed, error) {
	packed, err := a.Packed(m.AAGUID, m.Title)
	if err != nil || m.Serial == "" {
		return packed, err
	}
	device, err := a.Device(m.AAGUID, m.Title, m.Serial)
	if err != nil {
		return nil, err
	}
	return packed.Enterprise(device), nil
}
