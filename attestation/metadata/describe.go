package metadata

import "slices"

// protocolVersions are the versions of FIDO2 behind those of getInfo.
func protocolVersions(versions []string) (upv []Version) {
	for i, name := range []string{"FIDO_2_0", "FIDO_2_1", "FIDO_2_2", "FIDO_2_3"} {
		if slices.Contains(versions, name) {
			upv = append(upv, Version{Major: 1, Minor: i})
		}
	}
	if len(upv) == 0 {
		upv = []Version{{Major: 1}}
	}
	return upv
}

// attachment is how the authenticator is reached (FIDO registry, section 3.4).
func attachment(info *GetInfo) []string {
	if info.Options["plat"] {
		return []string{"internal"}
	}
	hints := []string{"external"}
	for _, t := range info.Transports {
		for _, hint := range map[string][]string{
			"usb": {"wired"}, "nfc": {"wireless", "nfc"}, "ble": {"wireless", "bluetooth"}, "hybrid": {"wireless", "network"},
		}[t] {
			if !slices.Contains(hints, hint) {
				hints = append(hints, hint)
			}
		}
	}
	return hints
}

// The defaults of retries and of the shortest PIN.
const (
	pinRetries   = 8
	uvRetries    = 5
	minPINLength = 4
	unicodeBase  = 64 // symbols of a PIN, as authenticators with a PIN of any characters state it
	passcodeBase = 10
	passcodeSize = 6
)

// verifications lists the ways to verify the user: a touch alone, a PIN with a touch,
// and what is built in.
func (m *Model) verifications(info *GetInfo) [][]Verification {
	touch := Verification{Method: "presence_internal"}
	ways := [][]Verification{{touch}}
	if _, can := info.Options["clientPin"]; can {
		code := &Code{Base: unicodeBase, MinLength: or(info.MinPINLength, minPINLength), MaxRetries: or(m.PINRetries, pinRetries)}
		ways = append(ways, []Verification{{Method: "passcode_external", Code: code}, touch})
	}
	biometric := &Biometric{MaxRetries: or(m.UVRetries, uvRetries)}
	switch m.BuiltInUV {
	case "fingerprint":
		ways = append(ways, []Verification{{Method: "fingerprint_internal", Biometric: biometric}})
	case "face":
		ways = append(ways, []Verification{{Method: "faceprint_internal", Biometric: biometric}})
	case "passcode":
		code := &Code{Base: passcodeBase, MinLength: passcodeSize, MaxRetries: or(m.UVRetries, uvRetries)}
		ways = append(ways, []Verification{{Method: "passcode_internal", Code: code}})
	}
	return ways
}

func or(value, otherwise uint) uint {
	if value == 0 {
		return otherwise
	}
	return value
}
