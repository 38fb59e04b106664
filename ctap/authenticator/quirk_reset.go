package authenticator

import "fido-emu/ctap"

// resetQuirks are about authenticatorReset (section 6.6).
func resetQuirks() []quirk {
	const second = "the next owner of the key meets what the last one left"
	keeps := func(keep func(d *Device, before Device)) behaviour {
		return afterCommand(ctap.Reset, func(x *exchange) { x.save(func(d *Device) { keep(d, x.device) }) })
	}
	return []quirk{
		breach("reset-after-ten-seconds", "6.6", "takes a reset later than ten seconds after power-up",
			"malware wipes the key while the user thinks of something else", "reset window", beforeCommand(ctap.Reset, func(x *exchange) {
				x.a.boot.poweredAt = x.a.env.Now()
				x.backs = append(x.backs, func(*Device) { x.a.boot.poweredAt = x.boot.poweredAt })
			})),
		breach("reset-without-touch", "6.6", "resets itself without a touch",
			"malware wipes the key", "", ofUser(ctap.Reset, nobodyAsked)),
		breach("reset-denial-ignored", "6.6", "resets itself although the user declined",
			"the user cannot say no", "", ofUser(ctap.Reset, takenFor(Denied))),
		breach("reset-late-status", "6.6", "answers CTAP1_ERR_OTHER to a reset that comes too late",
			"the user is not told to unplug the key", "reset window", changeStatus(ctap.Reset, ctap.ErrNotAllowed, ctap.ErrOther)),
		breach("reset-keeps-credentials", "6.6", "keeps discoverable credentials over a reset", second, "rk",
			alterStore(func(_ *quirks, s *alteredStore) { s.clear = func(Credentials) error { return nil } })),
		breach("reset-keeps-sealed-credentials", "6.6", "opens credential ids that were sealed before a reset", second, "",
			behaviour{after: func(x *exchange) {
				if x.is(ctap.Reset) && x.ok() {
					x.save(func(d *Device) { d.WrapKey = x.device.WrapKey })
				}
			}}),
		breach("reset-keeps-pin", "6.6", "keeps the PIN over a reset",
			"a user who forgot the PIN never gets the key back", "clientPin", keeps(func(d *Device, before Device) {
				d.PINHash, d.PINLength = before.PINHash, before.PINLength
			})),
		breach("reset-keeps-pin-retries", "6.6", "does not give PIN tries back with a reset",
			"the next owner has fewer tries", "clientPin", keeps(func(d *Device, before Device) { d.PINRetries = before.PINRetries })),
		breach("reset-keeps-always-uv", "6.6", "keeps alwaysUv over a reset", second, "alwaysUv",
			keeps(func(d *Device, before Device) { d.AlwaysUV = before.AlwaysUV })),
		breach("reset-keeps-min-pin", "6.6", "keeps the minimum PIN length over a reset", second, "minPinLength",
			keeps(func(d *Device, before Device) {
				d.MinPINLength, d.MinPINLengthRPIDs = before.MinPINLength, before.MinPINLengthRPIDs
			})),
		breach("reset-keeps-force-change", "6.6", "still says that the PIN must be changed after a reset", second, "minPinLength",
			keeps(func(d *Device, before Device) { d.ForcePINChange = before.ForcePINChange })),
		breach("reset-keeps-enterprise", "6.6", "keeps enterprise attestation enabled over a reset",
			"a key that was given away still names its owner", "ep", keeps(func(d *Device, before Device) { d.EnterpriseEnabled = before.EnterpriseEnabled })),
		breach("reset-keeps-fingers", "6.6", "keeps enrolled fingers over a reset",
			"the last owner's finger opens the next one's passkeys", "bioEnroll", keeps(func(d *Device, before Device) { d.Templates = before.Templates })),
		breach("reset-keeps-large-blobs", "6.6", "keeps the large-blob array over a reset", second, "largeBlobs",
			keeps(func(d *Device, before Device) { d.LargeBlobs = before.LargeBlobs })),
		breach("reset-keeps-identifier", "6.6", "keeps what encIdentifier holds over a reset",
			"the key is known again after it changed hands", "perCredMgmtRO", keeps(func(d *Device, before Device) {
				d.Identifier, d.PersistentToken = before.Identifier, before.PersistentToken
			})),
		breach("reset-keeps-token", "6.6", "keeps its tokens over a reset",
			"a program that was shut out goes on", "pinUvAuthToken", afterCommand(ctap.Reset, func(x *exchange) {
				x.a.boot.token = x.boot.token
			})),
		breach("reset-does-nothing", "6.6", "answers CTAP2_OK to a reset and changes nothing", second, "rk",
			beforeCommand(ctap.Reset, func(x *exchange) {
				late := !x.profile.ResetAnytime && x.a.env.Now().Sub(x.boot.poweredAt) > resetWindow
				if !late && x.a.presence(x.ctx, Prompt{Command: ctap.Reset}) == nil {
					x.refuse(ctap.OK)
				}
			})),
		breach("reset-short-touch", "6.6", "takes a tap where a long touch is asked for",
			"a touch for something else wipes the key", "longTouchForReset", ofUser(ctap.Reset, func(p *Prompt, _ bool, ask func() Answer) Answer {
				p.Hold = 0
				return ask()
			})),
	}
}

// bioQuirks are about authenticatorBioEnrollment (section 6.7).
func bioQuirks() []quirk {
	type request = ctap.BioEnrollmentRequest
	type response = ctap.BioEnrollmentResponse
	keeps := func(sub uint) behaviour {
		return afterCommand(ctap.BioEnrollment, func(x *exchange) {
			if x.subCommand() == sub {
				x.save(func(d *Device) { d.Templates = x.device.Templates })
			}
		})
	}
	return []quirk{
		breach("bio-mac-unchecked", "6.7.4", "does not verify pinUvAuthParam",
			"any program enrols a finger", "bioEnroll", changeRequest(ctap.BioEnrollment, func(x *exchange, r *request) {
				x.remac(&r.PinUvAuthParam, &r.PinUvAuthProtocol, bioMessage(r))
			})),
		breach("bio-permission-unchecked", "6.7.4", "enrols with a token that has not the permission be",
			"a token for one purpose serves every other", "bioEnroll", withPermission(ctap.BioEnrollment)),
		breach("bio-without-token-accepted", "6.7.4", "enrols without a pinUvAuthParam",
			"any program enrols a finger", "bioEnroll", changeRequest(ctap.BioEnrollment, func(x *exchange, r *request) {
				if r.PinUvAuthParam == nil && r.Modality == ctap.ModalityFingerprint && r.SubCommand != 0 {
					x.wholeToken()
					r.PinUvAuthProtocol, r.PinUvAuthParam = 2, x.mac(bioMessage(r))
				}
			})),
		breach("bio-modality-missing", "6.7.2", "leaves modality out of its answer to getModality",
			"a platform cannot tell what to enrol", "bioEnroll", changeMembers(ctap.BioEnrollment, func(_ *exchange, m members) { delete(m, 1) })),
		breach("bio-sensor-kind-unknown", "6.7.3", "states a kind of fingerprint sensor that there is not",
			"a platform tells the user the wrong thing to do", "bioEnroll", changeAnswer(ctap.BioEnrollment, func(_ *exchange, r *response) {
				if r.FingerprintKind != 0 {
					r.FingerprintKind = 9
				}
			})),
		breach("bio-samples-missing", "6.7.3", "leaves maxCaptureSamplesRequiredForEnroll out of its answer",
			"a platform cannot show how far it is", "bioEnroll", changeAnswer(ctap.BioEnrollment, func(_ *exchange, r *response) { r.MaxCaptureSamples = 0 })),
		breach("bio-remaining-stuck", "6.7.4", "does not count remainingSamples down",
			"an enrolment never ends", "bioEnroll", stuckSamples()),
		breach("bio-enumerate-empty-ok", "6.7.6", "answers CTAP2_OK to enumerateEnrollments where none is",
			"a platform shows a finger that is not there", "bioEnroll", behaviour{after: func(x *exchange) {
				if x.is(ctap.BioEnrollment) && x.subCommand() == ctap.EnumerateEnrollments && x.status() == ctap.ErrInvalidOption {
					x.refuse(ctap.OK)
				}
			}}),
		breach("bio-remove-keeps", "6.7.8", "answers CTAP2_OK to removeEnrollment and keeps the finger",
			"a finger that was removed still opens the key", "bioEnroll", keeps(ctap.RemoveEnrollment)),
		breach("bio-rename-ignored", "6.7.7", "answers CTAP2_OK to setFriendlyName and keeps the old name",
			"the user removes the wrong finger", "bioEnroll", keeps(ctap.SetFriendlyName)),
		breach("bio-unknown-template-ok", "6.7.8", "answers CTAP2_OK when it removes a finger that is not there",
			"the user believes that a finger was removed", "bioEnroll", behaviour{after: func(x *exchange) {
				if x.is(ctap.BioEnrollment) && x.subCommand() == ctap.RemoveEnrollment && x.status() == ctap.ErrInvalidOption {
					x.refuse(ctap.OK)
				}
			}}),
	}
}

// bioMessage is what pinUvAuthParam authenticates.
func bioMessage(r *ctap.BioEnrollmentRequest) []byte {
	return append([]byte{byte(r.Modality), byte(r.SubCommand)}, r.Params...)
}

// stuckSamples repeats the first remainingSamples of an enrolment.
func stuckSamples() behaviour {
	first := uint(0)
	return changeAnswer(ctap.BioEnrollment, func(x *exchange, r *ctap.BioEnrollmentResponse) {
		if r.RemainingSamples == nil {
			return
		}
		if x.subCommand() == ctap.EnrollBegin {
			first = *r.RemainingSamples
		}
		*r.RemainingSamples = first
	})
}
