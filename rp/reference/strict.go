package reference

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"

	"github.com/go-webauthn/webauthn/protocol"

	"fido-emu/attestation"
	"fido-emu/webauthn"
)

// This file is what the library leaves open of sections 5.8.1, 6.5.4 and 8 of WebAuthn
// Level 3. It only ever refuses more: whatever the library can verify, it has verified.

// safetyNet is the one format that the library knows and package attestation does not.
const safetyNet = string(protocol.AttestationFormatAndroidSafetyNet)

// strictClientData compares what the library read of client data with the members that
// bear the standard's names, letter for letter (section 5.8.1; steps 6 to 12 of section
// 7.1, and 9 to 14 of 7.2): encoding/json takes ORIGIN for origin.
func strictClientData(text []byte, d *protocol.CollectedClientData) error {
	var named map[string]any
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\uFEFF")), &named); err != nil {
		return refuse(BadRequest, "client data cannot be read: %v", err)
	}
	for _, m := range []struct {
		name       string
		read, none any
	}{
		{"type", string(d.Type), nil}, {"challenge", d.Challenge, nil}, {"origin", d.Origin, nil},
		{"crossOrigin", d.CrossOrigin, false}, {"topOrigin", d.TopOrigin, ""},
	} {
		got := named[m.name]
		if got == nil {
			got = m.none
		}
		if got != m.read {
			return refuse(BadRequest, "client data has no member %s, or another member whose name differs in case alone", m.name)
		}
	}
	return nil
}

// strictAttestation reads the attestation object once more and verifies its statement
// (section 7.1, steps 13, 21 and 22). The library takes an object without attStmt (section
// 6.5.4) for one of format none. It ignores members that the formats of section 8 do not
// have, bytes left over in certInfo and pubArea (section 8.3) and in the extension with
// the AAGUID, certificates without basic constraints (section 8.2.1), and serial numbers
// that are not wrapped (section 8.2.2).
func strictAttestation(raw *protocol.AuthenticatorAttestationResponse) error {
	object, err := webauthn.ParseAttestationObject(raw.AttestationObject)
	if err != nil {
		return refuse(BadRequest, "the response cannot be read: %v", err)
	}
	if object.Format == safetyNet {
		return nil
	}
	hash := sha256.Sum256(raw.ClientDataJSON)
	if _, err := attestation.Verify(object.Format, object.Statement, object.AuthData, hash[:]); err != nil {
		return refuse(AttestationInvalid, "%v", err)
	}
	return nil
}
