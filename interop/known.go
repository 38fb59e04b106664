package interop

import (
	"slices"
	"strings"

	"fido-emu/report"
)

// finding is why cells do not pass although nothing is wrong here: found out by
// reading the server's source, and no surprise from then on.
type finding struct {
	target      string
	attestation string   // conveyance; empty for any
	profiles    []string // empty for any
	says        string   // part of the reason
	why         string
}

func findings() []finding {
	const roots = "it trusts the maker's own root for this format and no other, and emulated keys are attested by a test authority"
	const truststore = "it wants the chain to lead to a certificate of its truststore, which is Java's own, and emulated keys are attested by a test authority"
	return []finding{
		{"gowebauthn", Direct, []string{"android-phone", "apple-device"}, "Error validating x5c cert chain", roots},
		{"simplewebauthn", Direct, []string{"android-phone"}, "x5c root certificate was not a known root certificate (Android Key)", roots},
		{"simplewebauthn", Direct, []string{"apple-device"}, "x5c could not be chained to any specified trust anchor (Apple)", roots},
		{"pywebauthn", Direct, []string{"android-phone", "apple-device"}, "Certificate chain could not be validated", roots},
		{"pywebauthn", Direct, []string{"windows-hello"}, `Unrecognized TPM Manufacturer "id:FFFFF1D0"`, "emulated TPMs are of the manufacturer that FIDO keeps for tests, which it does not list"},
		{"fido2lib", Direct, []string{"windows-hello"}, "only TPM_ALG_RSA supported", "it reads keys of TPMs only where they are RSA, and this one prefers ES256"},
		{"fido2lib", Direct, []string{"android-phone"}, "no support for attestation format: android-key", "it does not know the format"},
		{"fido2lib", Direct, []string{"apple-device"}, "nonce did not match expectedNonce", "some one in five hundred nonces happen to be bytes that asn1js takes for a value within the octet string, and getExtensions (certUtils.js) then compares that value"},
		{"keycloak", Direct, []string{"security-key", "post-quantum-key", "windows-hello"}, "invalid cert path", truststore},
		{"keycloak", Direct, []string{"apple-passwords"}, "not configured to handle the supplied AttestationStatement format 'none'", "it takes no passkey without attestation where it asks for one, and synced passkeys have none"},
	}
}

// known returns why a cell that did not pass is as it must be, empty when nobody
// knows.
func known(c Cell) string {
	if c.Outcome == report.Passed || c.Outcome == report.Skipped {
		return ""
	}
	for _, f := range findings() {
		if f.target == c.Target && (f.attestation == "" || f.attestation == c.Attestation) &&
			(len(f.profiles) == 0 || slices.Contains(f.profiles, c.Profile)) && strings.Contains(c.Reason, f.says) {
			return f.why
		}
	}
	return ""
}

// Bad returns the cells that did not pass for no reason that is known.
func (m *Matrix) Bad() (bad []Cell) {
	for _, c := range m.Cells {
		if c.Outcome != report.Passed && c.Outcome != report.Skipped && c.Known == "" {
			bad = append(bad, c)
		}
	}
	return bad
}
