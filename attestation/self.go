package attestation

import (
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// SelfAttestation makes packed statements that the credential's own key signs
// (section 8.2). An authenticator does so by itself; this one is for a member of a
// compound statement.
type SelfAttestation struct {
	Keys authenticator.Keys // which made the credential's key
}

// Formats returns packed.
func (s SelfAttestation) Formats() []string { return []string{FormatPacked} }

// Attest signs authenticatorData ‖ clientDataHash with the credential's key.
func (s SelfAttestation) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	sig, err := s.Keys.Sign(r.Algorithm, r.KeyHandle, slices.Concat(r.AuthData, r.ClientDataHash))
	if err != nil {
		return "", nil, fmt.Errorf("packed self attestation: %w", err)
	}
	statement, err := ctap.Encode(map[string]any{"alg": int(r.Algorithm), "sig": sig})
	return FormatPacked, statement, err
}
