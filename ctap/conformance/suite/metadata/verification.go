package metadata

import (
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// method finds a way to verify the user among userVerificationDetails, nil where it is
// not there.
func method(s *conformance.Statement, name string) *conformance.StatedVerification {
	for _, way := range s.UserVerification {
		for i := range way {
			if way[i].Method == name {
				return &way[i]
			}
		}
	}
	return nil
}

// modalities are the bits of uvModality and the words of the same methods.
func modalities() []struct {
	bit  uint
	name string
} {
	return []struct {
		bit  uint
		name string
	}{
		{0x02, "fingerprint_internal"}, {0x04, "passcode_internal"}, {0x08, "voiceprint_internal"}, {0x10, "faceprint_internal"},
		{0x40, "eyeprint_internal"}, {0x80, "pattern_internal"}, {0x100, "handprint_internal"},
	}
}

// verification compares userVerificationDetails with getInfo and with the retries that
// there are.
func verification() []conformance.Case {
	code := conformance.Need(func(f *conformance.Facts) string {
		if s := f.Statement; s != nil && (method(s, "passcode_external") == nil || method(s, "passcode_external").Code == nil) {
			return "its metadata statement has no caDesc of passcode_external"
		}
		return ""
	})
	withPIN := func(c conformance.Case) conformance.Case {
		c.Start, c.Destructive = conformance.WithPIN, true
		return c
	}
	return conformance.One(
		says("uv.there", "userVerificationDetails has a way, and none of its ways is empty", func(r *conformance.Run, s *conformance.Statement) {
			r.Check(len(s.UserVerification) > 0, "userVerificationDetails is empty")
			for _, way := range s.UserVerification {
				r.Check(len(way) > 0, "userVerificationDetails has a way without methods")
			}
		}),
		says("uv.presence", "an authenticator that tests user presence has presence_internal", func(r *conformance.Run, s *conformance.Statement) {
			r.Check(method(s, "presence_internal") != nil, "userVerificationDetails has not presence_internal")
		}),
		fido2("uv.pin", "passcode_external is there if and only if the option clientPin is", func(r *conformance.Run, s *conformance.Statement) {
			_, has := r.Info().Options["clientPin"]
			r.Check((method(s, "passcode_external") != nil) == has, "passcode_external there: %v, clientPin there: %v", method(s, "passcode_external") != nil, has)
		}),
		conformance.StartBlank(fido2("uv.pin.length", "minLength of passcode_external is minPINLength of a new authenticator", func(r *conformance.Run, s *conformance.Statement) {
			conformance.Equal(r, "minLength", method(s, "passcode_external").Code.MinLength, r.Info().MinPINLength)
		}, code, conformance.Member(0x0D))),
		withPIN(fido2("uv.pin.retries", "maxRetries of passcode_external is how many tries of the PIN there are", func(r *conformance.Run, s *conformance.Statement) {
			left, _ := r.PINRetries()
			conformance.Equal(r, "maxRetries", method(s, "passcode_external").Code.MaxRetries, left)
		}, code, conformance.CanPIN())),
		fido2("uv.modality", "the methods that are built in are those of uvModality", func(r *conformance.Run, s *conformance.Statement) {
			for _, m := range modalities() {
				said := r.Info().UvModality&m.bit != 0
				r.Check((method(s, m.name) != nil) == said, "%s there: %v, and uvModality is 0x%X", m.name, method(s, m.name) != nil, r.Info().UvModality)
			}
		}, conformance.Member(0x12)),
		fido2("uv.built-in", "a method that is built in is there if and only if the option uv is", func(r *conformance.Run, s *conformance.Statement) {
			built := slices.ContainsFunc(modalities(), func(m struct {
				bit  uint
				name string
			}) bool {
				return method(s, m.name) != nil
			})
			_, has := r.Info().Options["uv"]
			r.Check(built == has, "a method that is built in there: %v, uv there: %v", built, has)
		}),
		fido2("uv.retries", "maxRetries of what is built in is how many tries of it there are", uvRetries, conformance.Option("uv"), conformance.CanToken()),
	)
}

// uvRetries compares maxRetries with getUVRetries.
func uvRetries(r *conformance.Run, s *conformance.Statement) {
	left := r.Send(ctap.ClientPIN, conformance.M{1: r.Protocol().Number(), 2: ctap.GetUVRetries}).OK().Uint(5)
	for _, m := range modalities() {
		v := method(s, m.name)
		switch {
		case v == nil:
		case v.Biometric != nil:
			conformance.Equal(r, "maxRetries of "+m.name, v.Biometric.MaxRetries, left)
		case v.Code != nil:
			conformance.Equal(r, "maxRetries of "+m.name, v.Code.MaxRetries, left)
		}
	}
}

// capabilities compares the rest with getInfo and with what credentials say.
func capabilities() []conformance.Case {
	return conformance.One(
		fido2("attachment", "attachmentHint is internal for an authenticator of the platform, and else external", func(r *conformance.Run, s *conformance.Statement) {
			plat := r.Info().Options["plat"]
			r.Check(slices.Contains(s.AttachmentHint, "internal") == plat, "attachmentHint is %q, and plat %v", s.AttachmentHint, plat)
			r.Check(slices.Contains(s.AttachmentHint, "external") != plat, "attachmentHint is %q, and plat %v", s.AttachmentHint, plat)
		}),
		fido2("attachment.transports", "attachmentHint goes with transports: wired with usb, nfc with nfc, bluetooth with ble", func(r *conformance.Run, s *conformance.Statement) {
			for transport, hint := range map[string]string{"usb": "wired", "nfc": "nfc", "ble": "bluetooth"} {
				has := slices.Contains(r.Info().Transports, transport)
				r.Check(slices.Contains(s.AttachmentHint, hint) == has, "attachmentHint is %q, and transports %q", s.AttachmentHint, r.Info().Transports)
			}
		}, conformance.Member(0x09), conformance.NoOption("plat")),
		fido2("extensions", "supportedExtensions, where it is there, are the extensions of getInfo", func(r *conformance.Run, s *conformance.Statement) {
			var stated []string
			for _, x := range s.Extensions {
				stated = append(stated, x.ID)
			}
			if len(stated) > 0 {
				slices.Sort(stated)
				have := slices.Sorted(slices.Values(r.Info().Extensions))
				r.Check(slices.Equal(stated, have), "supportedExtensions are %q, and extensions %q", stated, have)
			}
		}),
		touching(fido2("multi-device", "credentials are backup eligible if and only if multiDeviceCredentialSupport says so", func(r *conformance.Run, s *conformance.Statement) {
			eligible := r.NewCredential().Data.Flags&ctap.FlagBE != 0
			switch s.MultiDevice {
			case "unsupported":
				r.Check(!eligible, "multiDeviceCredentialSupport is unsupported, and a credential is backup eligible")
			case "implicit":
				r.Check(eligible, "multiDeviceCredentialSupport is implicit, and a credential is not backup eligible")
			case "", "explicit":
			default:
				r.Fail("multiDeviceCredentialSupport is %q, which there is not", s.MultiDevice)
			}
		})),
		touching(fido2("credential-id", "credential ids are not longer than maxCredentialIdLength of authenticatorGetInfo", func(r *conformance.Run, s *conformance.Statement) {
			limit := compact(r, s.GetInfo["maxCredentialIdLength"])
			n := len(r.NewCredential().ID)
			r.Check(limit == "" || uint(n) <= r.Info().MaxCredentialIDLength, "a credential id has %d bytes, and maxCredentialIdLength is %s", n, limit)
		}, conformance.Member(0x08))),
	)
}
