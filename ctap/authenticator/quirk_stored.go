package authenticator

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

var cborTrue = cbor.RawMessage{0xF5}

// secretQuirks are about the extensions hmac-secret and hmac-secret-mc (sections 12.7
// and 12.8).
func secretQuirks() []quirk {
	const lost = "what is encrypted with a passkey never opens again"
	return []quirk{
		breach("secret-ignores-uv", "12.7", "gives one secret with and without user verification",
			"whoever finds the key decrypts what its owner's PIN was to guard", "hmac-secret,rk",
			alterFound(0, func(_ *quirks, c *Credential) {
				if c.HMACSecret != nil {
					c.HMACSecret = append(bytes.Clone(c.HMACSecret[:hmacSecretSize]), c.HMACSecret[:hmacSecretSize]...)
				}
			})),
		breach("secret-same-for-all", "12.7", "gives all credentials one secret",
			"one site decrypts what belongs to another", "hmac-secret,rk",
			alterFound(0, func(_ *quirks, c *Credential) { c.HMACSecret = make([]byte, 2*hmacSecretSize) })),
		breach("secret-mac-unchecked", "12.7", "does not verify saltAuth",
			"whoever sits between chooses the salt", "hmac-secret", changeSalts(func(_ *exchange, s *salts) bool { return true })),
		breach("secret-salt-length-unchecked", "12.7", "takes a salt that is not of 32 or 64 bytes",
			lost, "hmac-secret", changeSalts(func(_ *exchange, s *salts) bool {
				if len(s.plain) == 32 || len(s.plain) == 64 {
					return false
				}
				s.plain = append(s.plain, make([]byte, 32)...)[:32]
				return s.verified
			})),
		breach("secret-second-salt-ignored", "12.7", "answers for the first of two salts alone",
			lost, "hmac-secret", changeSalts(func(_ *exchange, s *salts) bool {
				if len(s.plain) != 64 {
					return false
				}
				s.plain = s.plain[:32]
				return s.verified
			})),
		breach("secret-in-silence", "12.7", "gives the secret although up is false",
			"malware decrypts while the user is away", "hmac-secret", changeRequest(ctap.GetAssertion, func(_ *exchange, r *ctap.GetAssertionRequest) {
				if r.Extensions[ExtHMACSecret] != nil {
					dropFalse(r.Options, "up")
				}
			})),
		breach("secret-output-missing", "12.7", "does not answer hmac-secret when it makes a credential",
			"platforms believe that there is no secret", "hmac-secret",
			extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) { delete(m, ExtHMACSecret) })),
		breach("secret-output-missing-in-assertion", "12.7", "does not answer hmac-secret when it signs",
			lost, "hmac-secret", extensionOutputs(ctap.GetAssertion, func(m map[string]cbor.RawMessage) { delete(m, ExtHMACSecret) })),
		breach("secret-default-protocol", "12.7", "takes protocol two for what a request without pinUvAuthProtocol means",
			"older platforms get no secret", "hmac-secret", changeRequest(ctap.GetAssertion, func(_ *exchange, r *ctap.GetAssertionRequest) {
				var in members
				if ctap.DecodeLoose(r.Extensions[ExtHMACSecret], &in) == nil && in[4] == nil {
					in.set(4, 2)
					r.Extensions[ExtHMACSecret], _ = ctap.Encode(in)
				}
			})),
		breach("secret-mc-alone-accepted", "12.8", "takes hmac-secret-mc without hmac-secret",
			"the platform believes that the credential has a secret", "hmac-secret-mc", changeRequest(ctap.MakeCredential, func(_ *exchange, r *ctap.MakeCredentialRequest) {
				if r.Extensions[ExtHMACSecretMC] != nil && r.Extensions[ExtHMACSecret] == nil {
					delete(r.Extensions, ExtHMACSecretMC)
				}
			})),
		breach("secret-mc-output-missing", "12.8", "does not answer hmac-secret-mc",
			"the platform asks for a second touch", "hmac-secret-mc",
			extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) { delete(m, ExtHMACSecretMC) })),
	}
}

// salts is the input of hmac-secret in getAssertion.
type salts struct {
	plain    []byte
	verified bool // saltAuth was right
}

// changeSalts changes the salts of a request; where change says so they are
// authenticated anew.
func changeSalts(change func(*exchange, *salts) bool) behaviour {
	return changeRequest(ctap.GetAssertion, func(x *exchange, r *ctap.GetAssertionRequest) {
		var in members
		if ctap.DecodeLoose(r.Extensions[ExtHMACSecret], &in) != nil {
			return
		}
		protocol, enc, auth := uint(1), ctap.Bytes{}, ctap.Bytes{}
		if in[4] != nil && ctap.DecodeLoose(in[4], &protocol) != nil || ctap.DecodeLoose(in[2], &enc) != nil || ctap.DecodeLoose(in[3], &auth) != nil {
			return
		}
		p, secret, err := x.a.decapsulate(protocol, in[1])
		if err != nil {
			return
		}
		x.resalt(in, p, secret, enc, auth, change)
		r.Extensions[ExtHMACSecret], _ = ctap.Encode(in)
	})
}

func (x *exchange) resalt(in members, p pinuv.Protocol, secret, enc, auth []byte, change func(*exchange, *salts) bool) {
	plain, err := p.Decrypt(secret, enc)
	if err != nil {
		return
	}
	s := salts{plain, p.Verify(secret, enc, auth)}
	if !change(x, &s) {
		return
	}
	if enc, err = p.Encrypt(secret, s.plain, x.a.env.Rand); err == nil {
		in.set(2, enc)
		in.set(3, p.Authenticate(secret, enc))
	}
}

// storedQuirks are about the extensions that keep data with a credential, or facts
// about it (sections 12.2 to 12.4, 12.6 and 12.9).
func storedQuirks() []quirk {
	type mc = ctap.MakeCredentialRequest
	const lost = "what a site stored is lost"
	onlyIf := func(id string, value cbor.RawMessage) func(map[string]cbor.RawMessage) {
		return func(m map[string]cbor.RawMessage) {
			if m[id] != nil {
				m[id] = value
			}
		}
	}
	return []quirk{
		breach("cred-blob-lost", "12.2", "answers credBlob with true and stores nothing", lost, "credBlob,rk",
			alterFound(ctap.GetAssertion, func(_ *quirks, c *Credential) { c.CredBlob = nil })),
		breach("cred-blob-output-always-true", "12.2", "answers credBlob with true also when the data does not fit", lost, "credBlob",
			extensionOutputs(ctap.MakeCredential, onlyIf("credBlob", cborTrue))),
		breach("cred-blob-output-missing", "12.2", "does not answer credBlob when it signs", lost, "credBlob",
			extensionOutputs(ctap.GetAssertion, func(m map[string]cbor.RawMessage) { delete(m, "credBlob") })),
		breach("cred-blob-cut", "12.2", "stores half of the data", lost, "credBlob,rk",
			alterFound(ctap.GetAssertion, func(_ *quirks, c *Credential) { c.CredBlob = c.CredBlob[:len(c.CredBlob)/2] })),
		breach("large-blob-key-missing", "12.3", "leaves largeBlobKey out of the answer that makes a credential", lost, "largeBlobKey,rk",
			changeAnswer(ctap.MakeCredential, func(_ *exchange, r *ctap.MakeCredentialResponse) { r.LargeBlobKey = nil })),
		breach("large-blob-key-missing-in-assertion", "12.3", "leaves largeBlobKey out of assertions", lost, "largeBlobKey,rk",
			changeAnswer(ctap.GetAssertion, func(_ *exchange, r *ctap.GetAssertionResponse) { r.LargeBlobKey = nil })),
		breach("large-blob-key-same-for-all", "12.3", "gives all credentials one largeBlobKey",
			"one site decrypts what belongs to another", "largeBlobKey,rk", alterStore(func(_ *quirks, s *alteredStore) {
				s.put = func(real Credentials, c *Credential) error {
					if c.LargeBlobKey != nil {
						copy(c.LargeBlobKey, make([]byte, len(c.LargeBlobKey))) // the handler sends it after this, or before
					}
					return real.Put(c)
				}
			})),
		breach("large-blob-key-changes", "12.3", "gives a credential another largeBlobKey with every assertion", lost, "largeBlobKey,rk",
			changeAnswer(ctap.GetAssertion, func(x *exchange, r *ctap.GetAssertionResponse) {
				if r.LargeBlobKey != nil {
					r.LargeBlobKey = hashOf(r.AuthData)
				}
			})),
		breach("large-blob-key-unasked", "12.3", "sends largeBlobKey when it was not asked for",
			"any program that signs in reads what the site stored", "largeBlobKey,rk", behaviour{after: func(x *exchange) {
				if x.is(ctap.GetAssertion) && x.ok() {
					x.rewriteAnswer(func() any { return new(ctap.GetAssertionResponse) }, func(v any) { x.addBlobKey(v.(*ctap.GetAssertionResponse)) })
				}
			}}),
		breach("large-blob-key-without-rk-accepted", "12.3", "takes largeBlobKey for a credential that is not discoverable", lost, "largeBlobKey",
			changeRequest(ctap.MakeCredential, func(_ *exchange, r *mc) {
				if !r.Options["rk"] {
					delete(r.Extensions, "largeBlobKey")
				}
			})),
		breach("large-blob-key-false-accepted", "12.3", "takes largeBlobKey: false", lost, "largeBlobKey",
			changeRequest(ctap.MakeCredential, func(_ *exchange, r *mc) {
				if bytes.Equal(r.Extensions["largeBlobKey"], []byte{0xF4}) {
					delete(r.Extensions, "largeBlobKey")
				}
			})),
		breach("complexity-told-to-all", "12.6", "tells the PIN complexity policy to every relying party",
			"a site learns what only the enterprise should", "pinComplexityPolicy", extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) {
				m["pinComplexityPolicy"] = cborTrue
			})),
		breach("payment-always", "12.9", "says thirdPartyPayment of credentials that were made without it",
			"any site starts a payment", "thirdPartyPayment", extensionOutputs(ctap.GetAssertion, onlyIf("thirdPartyPayment", cborTrue))),
		breach("payment-forgotten", "12.9", "forgets that a credential was made with thirdPartyPayment",
			"payments fail", "thirdPartyPayment", extensionOutputs(ctap.GetAssertion, onlyIf("thirdPartyPayment", cbor.RawMessage{0xF4}))),
		breach("payment-output-missing", "12.9", "does not answer thirdPartyPayment when it makes a credential",
			"payments are not set up", "thirdPartyPayment", extensionOutputs(ctap.MakeCredential, func(m map[string]cbor.RawMessage) { delete(m, "thirdPartyPayment") })),
	}
}

// addBlobKey puts the credential's largeBlobKey into an assertion.
func (x *exchange) addBlobKey(r *ctap.GetAssertionResponse) {
	if r.Credential == nil {
		return
	}
	if c, err := x.a.env.Credentials.ByID(r.Credential.ID); err == nil && c != nil {
		r.LargeBlobKey = c.LargeBlobKey
	}
}

// enterpriseQuirks are about enterprise attestation (sections 6.1.2 step 9 and 7.1).
func enterpriseQuirks() []quirk {
	const named = "a site learns which very key it is"
	drop := func(wrong func(x *exchange, value uint) bool) behaviour {
		return changeRequest(ctap.MakeCredential, func(x *exchange, m *members) {
			var value uint
			if (*m)[10] != nil && ctap.DecodeLoose((*m)[10], &value) == nil && wrong(x, value) {
				delete(*m, 10)
			}
		})
	}
	return []quirk{
		breach("enterprise-disabled-accepted", "6.1.2 step 9", "takes enterpriseAttestation while it is not enabled",
			"the enterprise gets an attestation that names nobody", "", drop(func(x *exchange, _ uint) bool { return !x.a.device.EnterpriseEnabled })),
		breach("enterprise-value-unchecked", "6.1.2 step 9", "takes values of enterpriseAttestation that there are not",
			"the enterprise gets an attestation that names nobody", "ep", drop(func(_ *exchange, value uint) bool { return value == 0 || value > 2 })),
		breach("enterprise-site-unlisted", "7.1", "gives enterprise attestation to relying parties that are not on its list",
			named, "ep", changeRequest(ctap.MakeCredential, func(x *exchange, r *ctap.MakeCredentialRequest) {
				if r.RP != nil {
					x.a.profile.Enterprise.RPIDs = []string{r.RP.ID}
				}
			})),
		breach("enterprise-mark-missing", "6.1.2 step 9", "leaves epAtt out of an answer with enterprise attestation",
			"the platform passes it on without asking the user", "ep", changeAnswer(ctap.MakeCredential, func(_ *exchange, r *ctap.MakeCredentialResponse) { r.EnterpriseAtt = false })),
		breach("enterprise-mark-always", "6.1.2 step 9", "says epAtt of every attestation",
			"the platform warns of what is not there", "", changeAnswer(ctap.MakeCredential, func(_ *exchange, r *ctap.MakeCredentialResponse) { r.EnterpriseAtt = true })),
	}
}
