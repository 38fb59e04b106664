package authenticator

import (
	"bytes"
	"unicode/utf8"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// pinQuirks are about key agreement and about setting and changing the PIN
// (sections 6.5.5.4 to 6.5.5.6).
func pinQuirks() []quirk {
	type request = ctap.ClientPINRequest
	return []quirk{
		breach("clientpin-protocol-status", "6.5.5", "answers a PIN/UV auth protocol that it has not with CTAP1_ERR_OTHER",
			"a platform cannot go on to another protocol", "clientPin", wrongProtocolStatus()),
		breach("clientpin-subcommand-accepted", "6.5.5", "answers a subcommand that it has not with CTAP2_OK",
			"a platform believes that something was done", "clientPin", changeStatus(ctap.ClientPIN, ctap.ErrInvalidSubcommand, ctap.OK)),
		breach("key-agreement-kept-after-wrong-pin", "6.5.5.6", "keeps its key agreement key after a wrong PIN",
			"a recorded request can be tried again", "clientPin", behaviour{after: func(x *exchange) {
				if x.wrongPIN() {
					x.a.boot.agreement = x.boot.agreement
				}
			}}),
		breach("key-agreement-survives-power-cycle", "6.5.5.4", "keeps its key agreement key over a power cycle",
			"one stolen key opens all that was recorded", "clientPin",
			behaviour{power: func(a *Authenticator, before boot) { a.boot.agreement = before.agreement }}),
		breach("key-agreement-algorithm", "6.5.6", "labels its key agreement key ES256, not ECDH-ES+HKDF-256",
			"a strict platform refuses the key", "clientPin", agreementKey(func(key map[int64]any) { key[3] = -7 })),
		breach("key-agreement-extra-member", "6.5.6", "adds a key id to its key agreement key",
			"a strict platform refuses the key", "clientPin", agreementKey(func(key map[int64]any) { key[2] = []byte{1} })),
		breach("key-agreement-not-on-curve", "6.5.6", "sends a key agreement key that is no point of the curve",
			"a strict platform refuses the key; another one sends its PIN under nothing", "clientPin",
			agreementKey(func(key map[int64]any) { key[-3] = make([]byte, 32) })),
		breach("key-agreement-point-unchecked", "6.5.6", "does not see that a platform's key is no point of the curve",
			"invalid points give the private key away", "clientPin", changeRequest(ctap.ClientPIN, func(x *exchange, r *request) {
				if _, _, ok := x.secret(r); !ok && r.KeyAgreement != nil && x.profile.hasProtocol(r.PinUvAuthProtocol) {
					if k, err := pinuv.NewKeyAgreement(x.a.env.Rand); err == nil {
						r.KeyAgreement = k.Public()
					}
				}
			})),
		breach("set-pin-twice", "6.5.5.5", "sets a PIN although one is set",
			"whoever finds the key gives it a PIN of their own", "clientPin", beforeCommand(ctap.ClientPIN, func(x *exchange) {
				if x.subCommand() == ctap.SetPIN {
					x.hidePIN()
				}
			})),
		breach("set-pin-mac-unchecked", "6.5.5.5", "does not verify pinUvAuthParam when it sets a PIN",
			"whoever sits between chooses the PIN", "clientPin", changePINRequest(ctap.SetPIN, func(x *exchange, r *request) {
				if p, secret, ok := x.secret(r); ok && len(r.PinUvAuthParam) > 0 {
					r.PinUvAuthParam = p.Authenticate(secret, r.NewPinEnc)
				}
			})),
		breach("set-pin-block-size-unchecked", "6.5.5.5", "takes a new PIN that is not padded to 64 bytes",
			"the length of the PIN is seen on the wire", "clientPin", changePINRequest(ctap.SetPIN, func(x *exchange, r *request) {
				if padded := x.newPIN(r); padded != nil && len(padded) != paddedPIN {
					x.sendPIN(r, append(padded, make([]byte, paddedPIN)...)[:paddedPIN])
				}
			})),
		breach("pin-too-short-accepted", "6.5.5.5", "takes a PIN shorter than the minimum that it states",
			"PINs are guessed", "clientPin", newPINPolicy(func(x *exchange, _ []byte) { x.lowerMinimum() })),
		breach("pin-length-in-bytes", "6.5.1", "counts the bytes of a PIN, not its code points",
			"two signs of another script pass for a PIN of four", "clientPin", newPINPolicy(func(x *exchange, pin []byte) {
				if uint(len(pin)) >= x.a.device.MinPINLength && utf8.RuneCount(pin) < len(pin) {
					x.lowerMinimum()
				}
			})),
		breach("pin-too-long-accepted", "6.5.1", "takes a PIN of 64 bytes without a zero behind it",
			"platforms that keep to the limit can never send that PIN again", "clientPin",
			changeRequest(ctap.ClientPIN, func(x *exchange, r *request) {
				if padded := x.newPIN(r); len(padded) == paddedPIN && padded[paddedPIN-1] != 0 {
					padded[paddedPIN-1] = 0
					x.sendPIN(r, padded)
				}
			})),
		breach("pin-too-short-status", "6.5.5.5", "answers CTAP1_ERR_OTHER to a PIN that is too short",
			"the user is not told what to do", "clientPin", changeStatus(ctap.ClientPIN, ctap.ErrPINPolicyViolation, ctap.ErrOther)),
		breach("change-pin-mac-unchecked", "6.5.5.6", "does not verify pinUvAuthParam when it changes the PIN",
			"whoever sits between chooses the PIN", "clientPin", changePINRequest(ctap.ChangePIN, func(x *exchange, r *request) {
				if p, secret, ok := x.secret(r); ok && len(r.PinUvAuthParam) > 0 {
					r.PinUvAuthParam = p.Authenticate(secret, pinMessage(r))
				}
			})),
		breach("change-pin-old-unchecked", "6.5.5.6", "changes the PIN whatever the old one",
			"whoever finds the key gives it a PIN of their own", "clientPin", changePINRequest(ctap.ChangePIN, func(x *exchange, r *request) {
				if p, secret, ok := x.secret(r); ok && p.Verify(secret, pinMessage(r), r.PinUvAuthParam) {
					x.knowPIN(r)
					r.PinUvAuthParam = p.Authenticate(secret, pinMessage(r))
				}
			})),
		breach("change-pin-keeps-old", "6.5.5.6", "answers CTAP2_OK to changePIN and keeps the old PIN",
			"a PIN that others know still works", "clientPin", afterCommand(ctap.ClientPIN, func(x *exchange) {
				if x.subCommand() == ctap.ChangePIN {
					x.save(func(d *Device) { d.PINHash, d.PINLength = x.device.PINHash, x.device.PINLength })
				}
			})),
		breach("change-pin-keeps-token", "6.5.5.6", "keeps its tokens when the PIN is changed",
			"a program that was shut out goes on", "pinUvAuthToken", afterCommand(ctap.ClientPIN, func(x *exchange) {
				if x.subCommand() == ctap.ChangePIN {
					x.a.boot.token = x.boot.token
				}
			})),
		breach("forced-change-same-pin", "6.5.5.6", "takes the old PIN for a new one when the PIN must be changed",
			"a PIN that was to go stays", "minPinLength", beforeCommand(ctap.ClientPIN, func(x *exchange) {
				if x.subCommand() == ctap.ChangePIN && x.a.device.ForcePINChange {
					x.pretend(func(d *Device) { d.ForcePINChange = false }, func(d *Device) {
						d.ForcePINChange = bytes.Equal(d.PINHash, x.device.PINHash) && !x.ok()
					})
				}
			})),
		breach("pin-not-set-status", "6.5.5.7.2", "answers CTAP2_ERR_PIN_INVALID to a PIN where none is set",
			"the user is asked for a PIN that does not exist", "clientPin", changeStatus(ctap.ClientPIN, ctap.ErrPINNotSet, ctap.ErrPINInvalid)),
	}
}

// wrongProtocolStatus changes the status for a protocol that there is not.
func wrongProtocolStatus() behaviour {
	return behaviour{after: func(x *exchange) {
		var r ctap.ClientPINRequest
		if x.is(ctap.ClientPIN) && x.status() == ctap.ErrInvalidParameter && ctap.Decode(x.asked[1:], &r) == nil && !x.profile.hasProtocol(r.PinUvAuthProtocol) {
			x.refuse(ctap.ErrOther)
		}
	}}
}

// agreementKey changes the COSE_Key of getKeyAgreement.
func agreementKey(change func(map[int64]any)) behaviour {
	return changeAnswer(ctap.ClientPIN, func(_ *exchange, r *ctap.ClientPINResponse) {
		var key map[int64]any
		if r.KeyAgreement == nil || ctap.DecodeLoose(r.KeyAgreement, &key) != nil {
			return
		}
		change(key)
		if b, err := ctap.Encode(key); err == nil {
			r.KeyAgreement = b
		}
	})
}

// newPINPolicy looks at a new PIN before the handler does.
func newPINPolicy(look func(x *exchange, pin []byte)) behaviour {
	return changeRequest(ctap.ClientPIN, func(x *exchange, r *ctap.ClientPINRequest) {
		if padded := x.newPIN(r); padded != nil {
			look(x, bytes.TrimRight(padded, "\x00"))
		}
	})
}

// lowerMinimum has the handler take a PIN of any length.
func (x *exchange) lowerMinimum() {
	was := x.a.device.MinPINLength
	x.pretend(func(d *Device) { d.MinPINLength = 0 }, func(d *Device) { d.MinPINLength = was })
}

// knowPIN puts the right PIN into a request.
func (x *exchange) knowPIN(r *ctap.ClientPINRequest) {
	p, secret, ok := x.secret(r)
	if !ok || x.a.device.PINHash == nil || r.PinHashEnc == nil {
		return
	}
	if enc, err := p.Encrypt(secret, x.a.device.PINHash, x.a.env.Rand); err == nil {
		r.PinHashEnc = enc
	}
}

// wrongPIN tells whether a wrong PIN was sent, and compared.
func (x *exchange) wrongPIN() bool {
	if !x.is(ctap.ClientPIN) {
		return false
	}
	switch x.status() {
	case ctap.ErrPINInvalid, ctap.ErrPINBlocked, ctap.ErrPINAuthBlocked:
		return x.a.boot.wrongPINs != x.boot.wrongPINs
	}
	return false
}
