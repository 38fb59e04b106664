package authenticator

import (
	"encoding/asn1"
	"math/big"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// ceremonyQuirks are about what makeCredential and getAssertion share: who is there, who
// was verified, what is signed.
func ceremonyQuirks() []quirk {
	type mc = ctap.MakeCredentialRequest
	type ga = ctap.GetAssertionRequest
	return []quirk{
		breach("make-without-touch", "6.1.2 step 14",
			"makes a credential without a touch and says that there was one",
			"malware registers the key with accounts of its own", "",
			ofUser(ctap.MakeCredential, nobodyAsked)),
		breach("get-without-touch", "6.2.2 step 9",
			"signs without a touch and says that there was one",
			"malware signs in while the user is away", "",
			ofUser(ctap.GetAssertion, nobodyAsked)),
		breach("make-denial-ignored", "6.1.2 step 14",
			"makes a credential although the user declined",
			"the user cannot say no", "",
			ofUser(ctap.MakeCredential, takenFor(Denied))),
		breach("get-denial-ignored", "6.2.2 step 9",
			"signs although the user declined",
			"the user cannot say no", "",
			ofUser(ctap.GetAssertion, takenFor(Denied))),
		breach("make-timeout-ignored", "6.1.2 step 14",
			"makes a credential when the user did nothing for thirty seconds",
			"malware needs only to wait", "",
			ofUser(ctap.MakeCredential, takenFor(TimedOut))),
		breach("get-timeout-ignored", "6.2.2 step 9",
			"signs when the user did nothing for thirty seconds",
			"malware needs only to wait", "",
			ofUser(ctap.GetAssertion, takenFor(TimedOut))),
		breach("cancel-status", "6.1.2 step 14",
			"answers CTAP1_ERR_OTHER to a cancelled request",
			"a platform that gave up believes that the key failed", "",
			changeStatus(0, ctap.ErrKeepaliveCancel, ctap.ErrOther)),
		breach("probe-without-touch", "6.1.2 step 1",
			"answers a pinUvAuthParam of length zero without a touch",
			"a platform cannot ask which of two keys the user means", "clientPin",
			behaviour{env: func(q *quirks, e *Env) {
				e.User = alterUser(e.User, func(p *Prompt, _ bool, ask func() Answer) Answer {
					if q.x != nil && q.x.probes() {
						return Granted
					}
					return ask()
				})
			}}),
		breach("probe-status", "6.1.2 step 1",
			"answers a pinUvAuthParam of length zero with CTAP2_ERR_PIN_INVALID while no PIN is set",
			"a platform asks for a PIN that does not exist", "clientPin",
			behaviour{after: func(x *exchange) {
				if x.probes() && x.status() == ctap.ErrPINNotSet {
					x.refuse(ctap.ErrPINInvalid)
				}
			}}),
		breach("make-protocol-unchecked", "6.1.2 step 2",
			"takes a pinUvAuthParam with a protocol that it does not have, or none",
			"what authenticates the request is not what was agreed on", "clientPin",
			changeRequest(ctap.MakeCredential, func(x *exchange, r *mc) { x.fixProtocol(r.PinUvAuthParam, &r.PinUvAuthProtocol) })),
		breach("get-protocol-unchecked", "6.2.2 step 2",
			"takes a pinUvAuthParam with a protocol that it does not have, or none",
			"what authenticates the request is not what was agreed on", "clientPin",
			changeRequest(ctap.GetAssertion, func(x *exchange, r *ga) { x.fixProtocol(r.PinUvAuthParam, &r.PinUvAuthProtocol) })),
		breach("make-uv-option-unchecked", "6.1.2 step 4",
			"takes the option uv without being able to verify its user",
			"the platform believes that the user was verified", "no uv",
			changeRequest(ctap.MakeCredential, func(_ *exchange, r *mc) { delete(r.Options, "uv") })),
		breach("get-uv-option-unchecked", "6.2.2 step 4",
			"takes the option uv without being able to verify its user",
			"the platform believes that the user was verified", "no uv",
			changeRequest(ctap.GetAssertion, func(_ *exchange, r *ga) { delete(r.Options, "uv") })),
		breach("make-always-uv-unenforced", "6.1.2 step 6",
			"makes credentials without user verification under alwaysUv",
			"a key that its owner locked works for whoever finds it", "alwaysUv",
			withoutAlwaysUV(ctap.MakeCredential)),
		breach("get-always-uv-unenforced", "6.2.2 step 5",
			"signs without user verification under alwaysUv",
			"a key that its owner locked works for whoever finds it", "alwaysUv",
			withoutAlwaysUV(ctap.GetAssertion)),
		breach("make-uv-unenforced", "6.1.2 step 8",
			"makes discoverable credentials without user verification although a PIN is set",
			"whoever finds the key fills it with passkeys", "clientPin,rk",
			beforeCommand(ctap.MakeCredential, func(x *exchange) {
				var r mc
				if ctap.Decode(x.request[1:], &r) == nil && r.PinUvAuthParam == nil {
					x.hidePIN()
				}
			})),
		breach("make-mac-unchecked", "6.1.2 step 11",
			"does not verify pinUvAuthParam",
			"any program uses the token of another", "pinUvAuthToken",
			changeRequest(ctap.MakeCredential, func(x *exchange, r *mc) { x.remac(&r.PinUvAuthParam, &r.PinUvAuthProtocol, r.ClientDataHash) })),
		breach("get-mac-unchecked", "6.2.2 step 6",
			"does not verify pinUvAuthParam",
			"any program uses the token of another", "pinUvAuthToken",
			changeRequest(ctap.GetAssertion, func(x *exchange, r *ga) { x.remac(&r.PinUvAuthParam, &r.PinUvAuthProtocol, r.ClientDataHash) })),
		breach("make-permission-unchecked", "6.1.2 step 11",
			"makes credentials with a token that has not the permission mc",
			"a token for one purpose serves every other", "pinUvAuthToken",
			withPermission(ctap.MakeCredential)),
		breach("get-permission-unchecked", "6.2.2 step 6",
			"signs with a token that has not the permission ga",
			"a token for one purpose serves every other", "pinUvAuthToken",
			withPermission(ctap.GetAssertion)),
		breach("make-token-site-unchecked", "6.1.2 step 11",
			"makes credentials with a token that is bound to another relying party",
			"a token that leaks at one site serves at all", "pinUvAuthToken",
			withoutSite(ctap.MakeCredential)),
		breach("get-token-site-unchecked", "6.2.2 step 6",
			"signs with a token that is bound to another relying party",
			"a token that leaks at one site serves at all", "pinUvAuthToken",
			withoutSite(ctap.GetAssertion)),
		breach("signature-broken", "6.2.2 step 13",
			"signs assertions over something else than authData and clientDataHash",
			"nobody can sign in", "",
			alterKeys(func(q *quirks, real Keys, alg cose.Algorithm, handle, message []byte) ([]byte, error) {
				if q.x != nil && q.x.is(ctap.GetAssertion, ctap.GetNextAssertion) {
					message = append(message[:len(message):len(message)], 0)
				}
				return real.Sign(alg, handle, message)
			})),
		breach("signature-without-client-data", "6.2.2 step 13",
			"signs authData alone",
			"one signature serves any number of sign-ins", "",
			alterKeys(func(q *quirks, real Keys, alg cose.Algorithm, handle, message []byte) ([]byte, error) {
				if q.x != nil && q.x.is(ctap.GetAssertion, ctap.GetNextAssertion) {
					message = message[:len(message)-32]
				}
				return real.Sign(alg, handle, message)
			})),
		breach("signature-not-der", "6.2.2 step 13",
			"sends ES256 signatures as r and s of 32 bytes each",
			"sites refuse the signature", "",
			alterKeys(func(_ *quirks, real Keys, alg cose.Algorithm, handle, message []byte) ([]byte, error) {
				signature, err := real.Sign(alg, handle, message)
				if alg == cose.ES256 && err == nil {
					return rawSignature(signature)
				}
				return signature, err
			})),
		breach("counter-stuck", "6.2.2 step 13",
			"does not count its signatures",
			"a copy of the key is never noticed", "counter",
			alterCounter(func(real DeviceState) (uint32, error) { return 1, nil })),
		breach("counter-falls", "6.2.2 step 13",
			"counts its signatures downwards",
			"sites take the key for a copy and lock the account", "counter",
			alterCounter(func(real DeviceState) (uint32, error) {
				n, err := real.NextCounter()
				return ^n, err
			})),
		breach("counter-restarts", "6.2.2 step 13",
			"begins to count anew after a power cycle",
			"sites take the key for a copy and lock the account", "counter",
			restartingCounter()),
		breach("selection-without-touch", "6.9",
			"answers authenticatorSelection without a touch",
			"the platform takes the wrong key for the one that the user chose", "FIDO_2_1",
			ofUser(ctap.Selection, nobodyAsked)),
		breach("selection-denial-ignored", "6.9",
			"answers authenticatorSelection with CTAP2_OK although the user declined",
			"the platform takes the wrong key for the one that the user chose", "FIDO_2_1",
			ofUser(ctap.Selection, takenFor(Denied))),
	}
}

// probes tells whether the request has a pinUvAuthParam of length zero.
func (x *exchange) probes() bool {
	var make ctap.MakeCredentialRequest
	var get ctap.GetAssertionRequest
	switch {
	case x.is(ctap.MakeCredential) && ctap.Decode(x.asked[1:], &make) == nil:
		return make.PinUvAuthParam != nil && len(make.PinUvAuthParam) == 0
	case x.is(ctap.GetAssertion) && ctap.Decode(x.asked[1:], &get) == nil:
		return get.PinUvAuthParam != nil && len(get.PinUvAuthParam) == 0
	}
	return false
}

// fixProtocol replaces a protocol that is wrong by that of the token.
func (x *exchange) fixProtocol(mac []byte, protocol *uint) {
	if len(mac) > 0 && !x.profile.hasProtocol(*protocol) {
		*protocol = x.a.boot.token.protocol.Number()
	}
}

func withoutAlwaysUV(c ctap.Command) behaviour {
	return beforeCommand(c, func(x *exchange) {
		was := x.a.device.AlwaysUV
		x.pretend(func(d *Device) { d.AlwaysUV = false }, func(d *Device) { d.AlwaysUV = was })
		x.a.profile.MakeCredNoUV = true
	})
}

// hidePIN has the handler believe that no PIN is set.
func (x *exchange) hidePIN() {
	was := x.a.device.PINHash
	x.pretend(func(d *Device) { d.PINHash = nil }, func(d *Device) {
		if d.PINHash == nil {
			d.PINHash = was
		}
	})
}

func withPermission(c ctap.Command) behaviour {
	return beforeCommand(c, func(x *exchange) {
		was := x.a.boot.token.permissions
		x.relaxToken(func(t *token) { t.permissions = ^ctap.Permissions(0) }, func(t *token) { t.permissions &= was })
	})
}

func withoutSite(c ctap.Command) behaviour {
	return beforeCommand(c, func(x *exchange) {
		was := x.a.boot.token.rpID
		x.relaxToken(func(t *token) { t.rpID = "" }, func(t *token) { t.rpID = was })
	})
}

// rawSignature turns a signature of P-256 from DER into r ‖ s.
func rawSignature(der []byte) ([]byte, error) {
	var s struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		return nil, err
	}
	raw := make([]byte, 64)
	s.R.FillBytes(raw[:32])
	s.S.FillBytes(raw[32:])
	return raw, nil
}

// restartingCounter counts from what the counter was at the last power cycle.
func restartingCounter() behaviour {
	counted := uint32(0)
	b := alterCounter(func(DeviceState) (uint32, error) { counted++; return counted, nil })
	b.power = func(*Authenticator, boot) { counted = 0 }
	return b
}
