package authenticator

import (
	"fido-emu/ctap"
)

// retryQuirks are about the tries that a user has, of the PIN and of built-in user
// verification (sections 6.5.2.3, 6.5.5.2, 6.5.5.3 and 6.5.5.6).
func retryQuirks() []quirk {
	type response = ctap.ClientPINResponse
	return []quirk{
		breach("pin-retries-not-decremented", "6.5.5.6", "does not count wrong PINs",
			"the PIN can be guessed", "clientPin", behaviour{after: func(x *exchange) {
				if x.wrongPIN() {
					x.save(func(d *Device) { d.PINRetries = x.device.PINRetries })
				}
			}}),
		breach("pin-retries-back-after-power-cycle", "6.5.5.6", "gives all PIN tries back with a power cycle",
			"the PIN can be guessed by whoever unplugs the key", "clientPin",
			behaviour{power: func(a *Authenticator, _ boot) {
				d := a.device
				d.PINRetries = a.profile.pinRetries()
				_ = a.save(d) // a store that fails shows with the next request
			}}),
		breach("pin-retries-not-restored", "6.5.5.6", "does not give the PIN tries back after the right PIN",
			"the user's mistakes of years add up until the key is lost", "clientPin", afterCommand(ctap.ClientPIN, func(x *exchange) {
				if x.subCommand() == ctap.GetTokenUsingPin || x.subCommand() == ctap.GetPinToken {
					x.save(func(d *Device) { d.PINRetries = max(1, x.device.PINRetries-1) })
				}
			})),
		breach("pin-retries-answer-constant", "6.5.5.2", "says that all PIN tries are left, always",
			"the user is not warned", "clientPin", changeAnswer(ctap.ClientPIN, func(x *exchange, r *response) {
				if r.PINRetries != nil {
					*r.PINRetries = x.profile.pinRetries()
				}
			})),
		breach("pin-retries-over-eight", "6.5.5.2", "states more than 8 PIN tries",
			"the PIN can be guessed more often than allowed", "clientPin", changeAnswer(ctap.ClientPIN, func(_ *exchange, r *response) {
				if r.PINRetries != nil {
					*r.PINRetries += 8
				}
			})),
		breach("pin-retries-missing", "6.5.5.2", "leaves pinRetries out of its answer",
			"the user is not warned", "clientPin", changeAnswer(ctap.ClientPIN, func(_ *exchange, r *response) { r.PINRetries = nil })),
		breach("pin-never-blocks", "6.5.5.6", "takes PINs also when no try is left",
			"the PIN can be guessed", "clientPin", behaviour{
				before: func(x *exchange) {
					if x.is(ctap.ClientPIN) && x.a.device.PINRetries == 0 {
						x.pretend(func(d *Device) { d.PINRetries = 1 }, func(*Device) {})
					}
				},
				after: func(x *exchange) {
					if x.is(ctap.ClientPIN) && x.status() == ctap.ErrPINBlocked {
						x.refuse(ctap.ErrPINInvalid)
					}
				},
			}),
		breach("pin-blocked-status", "6.5.5.6", "answers CTAP2_ERR_PIN_AUTH_BLOCKED when no PIN try is left",
			"the user unplugs the key in vain", "clientPin", changeStatus(ctap.ClientPIN, ctap.ErrPINBlocked, ctap.ErrPINAuthBlocked)),
		breach("pin-latch-missing", "6.5.5.6", "takes a fourth PIN after three wrong ones in a row",
			"malware uses up all tries and the key is lost", "clientPin", behaviour{after: func(x *exchange) {
				if x.wrongPIN() {
					x.a.boot.wrongPINs = 0
					if x.status() == ctap.ErrPINAuthBlocked {
						x.refuse(ctap.ErrPINInvalid)
					}
				}
			}}),
		breach("pin-latch-survives-power-cycle", "6.5.5.6", "stays blocked after a power cycle",
			"the user cannot use the right PIN any more", "clientPin",
			behaviour{power: func(a *Authenticator, before boot) { a.boot.wrongPINs = before.wrongPINs }}),
		breach("pin-latch-status", "6.5.5.6", "answers CTAP2_ERR_PIN_INVALID to the third wrong PIN in a row",
			"the user is not told to unplug the key", "clientPin", changeStatus(ctap.ClientPIN, ctap.ErrPINAuthBlocked, ctap.ErrPINInvalid)),
		breach("power-cycle-state-wrong", "6.5.5.2", "says powerCycleState: false when a power cycle is needed",
			"the user is not told to unplug the key", "clientPin", changeAnswer(ctap.ClientPIN, func(_ *exchange, r *response) {
				if r.PowerCycleState != nil {
					*r.PowerCycleState = false
				}
			})),
		breach("pin-wrong-status", "6.5.5.6", "answers CTAP1_ERR_OTHER to a wrong PIN",
			"the user is not told that the PIN was wrong", "clientPin", changeStatus(ctap.ClientPIN, ctap.ErrPINInvalid, ctap.ErrOther)),
		breach("pin-any-accepted", "6.5.5.7.2", "gives tokens for any PIN",
			"whoever finds the key uses it", "clientPin", changeRequest(ctap.ClientPIN, func(x *exchange, r *ctap.ClientPINRequest) {
				if r.SubCommand == ctap.GetTokenUsingPin || r.SubCommand == ctap.GetPinToken {
					x.knowPIN(r)
				}
			})),
		breach("uv-retries-not-decremented", "6.5.3.1", "does not count fingers that it does not know",
			"fingerprints can be tried for ever", "uv", behaviour{after: func(x *exchange) {
				if x.a.device.UVRetries < x.device.UVRetries {
					x.save(func(d *Device) { d.UVRetries = x.device.UVRetries })
				}
			}}),
		breach("uv-never-blocks", "6.5.3.1", "verifies users also when no try is left",
			"fingerprints can be tried for ever", "uv", behaviour{
				before: func(x *exchange) {
					if x.a.device.UVRetries == 0 && !x.isRetriesQuestion() {
						x.pretend(func(d *Device) { d.UVRetries = 1 }, func(*Device) {})
					}
				},
				after: func(x *exchange) {
					if x.is(ctap.ClientPIN) && x.status() == ctap.ErrUVBlocked {
						x.refuse(ctap.ErrUVInvalid)
					}
				},
			}),
		breach("uv-retries-missing", "6.5.5.3", "leaves uvRetries out of its answer",
			"the user is not warned", "uv", changeAnswer(ctap.ClientPIN, func(_ *exchange, r *response) { r.UVRetries = nil })),
		breach("uv-retries-answer-constant", "6.5.5.3", "says that all tries of built-in user verification are left, always",
			"the user is not warned", "uv", changeAnswer(ctap.ClientPIN, func(x *exchange, r *response) {
				if r.UVRetries != nil {
					*r.UVRetries = x.profile.uvRetries()
				}
			})),
		breach("uv-stranger-accepted", "6.5.3.1", "takes any finger for its user's",
			"anybody is the user", "uv", ofUser(0, takenFor(NotRecognised))),
		breach("uv-not-asked", "6.5.3.1", "says that the user was verified and asked nobody",
			"whoever finds the key uses it", "uv", ofUser(0, func(_ *Prompt, verify bool, ask func() Answer) Answer {
				if verify {
					return Granted
				}
				return ask()
			})),
		breach("uv-wrong-status", "6.5.5.7.3", "answers CTAP2_ERR_PIN_INVALID to a finger that it does not know",
			"the user is asked for a PIN that was not wrong", "uv", changeStatus(ctap.ClientPIN, ctap.ErrUVInvalid, ctap.ErrPINInvalid)),
		breach("uv-blocked-status", "6.5.5.7.3", "answers CTAP2_ERR_PIN_BLOCKED when no try of built-in user verification is left",
			"the user resets a key that the PIN would unlock", "uv", changeStatus(ctap.ClientPIN, ctap.ErrUVBlocked, ctap.ErrPINBlocked)),
	}
}

// isRetriesQuestion tells whether the request asks how many tries are left.
func (x *exchange) isRetriesQuestion() bool {
	return x.is(ctap.ClientPIN) && (x.subCommand() == ctap.GetUVRetries || x.subCommand() == ctap.GetPINRetries)
}
