package authenticator

import (
	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// extensionQuirks are about the extensions (section 12) but those of secrets.
func extensionQuirks() []quirk {
	type request = ctap.MakeCredentialRequest
	const seen = "whoever finds the key learns its accounts, or signs in with them"
	return []quirk{
		breach("extension-unasked-output", "6.1.2 step 15", "answers an extension that was not asked for",
			"strict platforms refuse the registration", "", extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) {
				if m[ExtHMACSecret] == nil {
					m[ExtHMACSecret] = cbor.RawMessage{0xF5}
				}
			})),
		breach("extension-unknown-refused", "6.1.2 step 15", "refuses extensions that it does not know",
			"a platform of a later edition cannot use it", "", changeRequest(ctap.MakeCredential, func(x *exchange, r *request) {
				for id := range r.Extensions {
					if !x.profile.hasExtension(id) {
						x.refuse(ctap.ErrUnsupportedExtension)
					}
				}
			})),
		breach("extension-unknown-echoed", "6.1.2 step 15", "answers extensions that it does not know with true",
			"sites rely on what is not there", "", behaviour{authData: func(x *exchange, c *ceremony, data []byte) []byte {
				if c.command != ctap.MakeCredential {
					return data
				}
				return unknownEchoed(x, data)
			}}),
		breach("cred-protect-list-ignored", "12.1", "shows a credential of userVerificationOptionalWithCredentialIDList without a list or user verification",
			seen, "credProtect", alterFound(ctap.GetAssertion, func(_ *quirks, c *Credential) {
				if c.Protection == protectWithList {
					c.Protection = protectOptional
				}
			})),
		breach("cred-protect-uv-ignored", "12.1", "signs with a credential of userVerificationRequired without user verification",
			seen, "credProtect", alterFound(ctap.GetAssertion, func(_ *quirks, c *Credential) { c.Protection = min(c.Protection, protectOptional) })),
		breach("cred-protect-excluded", "12.1", "says CTAP2_ERR_CREDENTIAL_EXCLUDED of a credential of userVerificationRequired without user verification",
			seen, "credProtect", alterFound(ctap.MakeCredential, func(_ *quirks, c *Credential) { c.Protection = min(c.Protection, protectOptional) })),
		breach("cred-protect-forgotten", "12.1", "makes credentials of userVerificationOptional whatever policy was asked for, and answers with that",
			seen, "credProtect,rk", alterStore(func(_ *quirks, s *alteredStore) {
				s.put = func(real Credentials, c *Credential) error {
					changed := *c
					changed.Protection = 0
					return real.Put(&changed)
				}
			})),
		breach("cred-protect-range-unchecked", "12.1", "takes a policy that there is not",
			"a site believes that its passkey is protected", "credProtect", changeRequest(ctap.MakeCredential, func(_ *exchange, r *request) {
				var policy uint64
				if ctap.DecodeLoose(r.Extensions[ExtCredProtect], &policy) == nil && policy > protectUV {
					r.Extensions[ExtCredProtect] = cbor.RawMessage{protectUV}
				}
			})),
		breach("cred-protect-output-missing", "12.1", "does not answer credProtect",
			"a site cannot see whether its passkey is protected", "credProtect", extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) { delete(m, ExtCredProtect) })),
		breach("cred-protect-output-lower", "12.1", "answers credProtect with 1 whatever was asked for",
			"a site believes that its passkey is not protected", "credProtect", extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) {
				if m[ExtCredProtect] != nil {
					m[ExtCredProtect] = cbor.RawMessage{protectOptional}
				}
			})),
		breach("min-pin-told-to-all", "12.5", "tells the minimum PIN length to every relying party",
			"a site learns what only the enterprise should", "minPinLength", beforeCommand(ctap.MakeCredential, func(x *exchange) {
				var r request
				if ctap.Decode(x.request[1:], &r) == nil && r.RP != nil && r.Extensions[ExtMinPinLength] != nil {
					was := x.a.device.MinPINLengthRPIDs
					x.pretend(func(d *Device) { d.MinPINLengthRPIDs = []string{r.RP.ID} }, func(d *Device) { d.MinPINLengthRPIDs = was })
				}
			})),
		breach("min-pin-told-to-none", "12.5", "tells the minimum PIN length to no relying party",
			"the enterprise cannot see that its policy holds", "minPinLength", extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) { delete(m, ExtMinPinLength) })),
		breach("min-pin-told-wrong", "12.5", "tells a minimum PIN length that is not its own",
			"the enterprise believes that its policy does not hold", "minPinLength", extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) {
				if m[ExtMinPinLength] != nil {
					m[ExtMinPinLength] = cbor.RawMessage{0x02}
				}
			})),
	}
}

// unknownEchoed answers the extensions of the request that the profile has not.
func unknownEchoed(x *exchange, data []byte) []byte {
	var r ctap.MakeCredentialRequest
	if ctap.Decode(x.asked[1:], &r) != nil {
		return data
	}
	return outputsChanged(data, func(outputs map[string]cbor.RawMessage) {
		for id := range r.Extensions {
			if !x.profile.hasExtension(id) {
				outputs[id] = cbor.RawMessage{0xF5}
			}
		}
	})
}
