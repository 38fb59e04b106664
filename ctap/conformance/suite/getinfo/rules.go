package getinfo

import (
	"bytes"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// unique tells whether no value comes twice.
func unique[T comparable](all []T) bool {
	for i, v := range all {
		if slices.Contains(all[:i], v) {
			return false
		}
	}
	return true
}

// lists is about members that are lists: never empty, nothing twice.
func lists() []conformance.Case {
	return conformance.One(
		says("versions.known", conformance.Since20("6.4"), "versions has FIDO_2_0, FIDO_2_1 or a later version, and nothing twice",
			func(r *conformance.Run, i *ctap.Info) {
				known := slices.ContainsFunc(i.Versions, func(v string) bool {
					return slices.Contains([]string{"FIDO_2_0", "FIDO_2_1", "FIDO_2_2", "FIDO_2_3"}, v)
				})
				r.Check(known && unique(i.Versions), "versions is %q", i.Versions)
			}),
		says("versions.no-2-2", conformance.Since23("6.4"), "there is no version string FIDO_2_2",
			func(r *conformance.Run, i *ctap.Info) {
				if slices.Contains(i.Versions, "FIDO_2_2") {
					r.Tolerate("CTAP 2.2 keys built on pico-fido, and the Chrome DevTools protocol, know it", "versions has FIDO_2_2")
				}
			}),
		says("versions.u2f", conformance.Since20("6.4"), "U2F_V2 is listed when, and only when, CTAPHID_MSG is there",
			func(r *conformance.Run, i *ctap.Info) {
				listed, spoken := slices.Contains(i.Versions, "U2F_V2"), conformance.SpeaksU2F()(r.Facts()) == ""
				r.Check(listed == spoken, "U2F_V2 listed: %v; CTAPHID_MSG there: %v", listed, spoken)
			}),
		says("list.extensions", conformance.Since20("6.4"), "extensions is not empty, and has nothing twice",
			func(r *conformance.Run, i *ctap.Info) { filled(r, "extensions", i.Extensions) }, conformance.Member(0x02)),
		says("list.pinUvAuthProtocols", conformance.Since20("6.4"), "pinUvAuthProtocols is not empty, and has nothing twice and no 0",
			func(r *conformance.Run, i *ctap.Info) {
				filled(r, "pinUvAuthProtocols", i.PinUvAuthProtocols)
				r.Check(!slices.Contains(i.PinUvAuthProtocols, 0), "pinUvAuthProtocols is %d", i.PinUvAuthProtocols)
			}, conformance.Member(0x06)),
		says("list.transports", conformance.Since21("6.4"), "transports is not empty, and has nothing twice",
			func(r *conformance.Run, i *ctap.Info) { filled(r, "transports", i.Transports) }, conformance.Member(0x09)),
		says("list.algorithms", conformance.Since21("6.4"), "algorithms is not empty, has nothing twice, and is all of public-key",
			func(r *conformance.Run, i *ctap.Info) {
				filled(r, "algorithms", i.Algorithms)
				for _, a := range i.Algorithms {
					r.Check(a.Type == ctap.PublicKeyCredential, "the type of algorithm %d is %q", a.Algorithm, a.Type)
				}
			}, conformance.Member(0x0A)),
		says("list.attestationFormats", conformance.Since22("6.4"), "attestationFormats is not empty, and has nothing twice and no none",
			func(r *conformance.Run, i *ctap.Info) {
				filled(r, "attestationFormats", i.AttestationFormats)
				r.Check(!slices.Contains(i.AttestationFormats, "none"), "attestationFormats is %q", i.AttestationFormats)
			}, conformance.Member(0x16)),
		says("list.transportsForReset", conformance.Since22("6.4"), "transportsForReset is not empty, and has nothing twice",
			func(r *conformance.Run, i *ctap.Info) { filled(r, "transportsForReset", i.TransportsForReset) }, conformance.Member(0x1A)),
		says("list.authenticatorConfigCommands", conformance.Since23("6.4"), "authenticatorConfigCommands has nothing twice and no 0",
			func(r *conformance.Run, i *ctap.Info) {
				all := i.AuthenticatorConfigCommands
				r.Check(unique(all) && !slices.Contains(all, 0), "authenticatorConfigCommands is %d", all)
			}, conformance.Member(0x1F)),
	)
}

func filled[T comparable](r *conformance.Run, name string, all []T) {
	r.Check(len(all) > 0, "%s is there and empty", name)
	r.Check(unique(all), "%s has something twice: %v", name, all)
}

// ranges of certifications.
var levels = map[string]uint{
	"FIPS-CMVP-2": 4, "FIPS-CMVP-3": 4, "FIPS-CMVP-2-PHY": 4, "FIPS-CMVP-3-PHY": 4, "CC-EAL": 7, "FIDO": 6, "CCN-CPSTIC": 1,
}

// numbers is about members that are numbers.
func numbers() []conformance.Case {
	return conformance.One(
		says("maxMsgSize.range", conformance.Since20("6.4"), "maxMsgSize is at least 1024, and no more than CTAPHID carries",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(i.MaxMsgSize >= 1024 && i.MaxMsgSize <= 7609, "maxMsgSize is %d", i.MaxMsgSize)
			}, conformance.Member(0x05)),
		says("certifications.levels", conformance.Since21("7.3.1"), "every certification is at a level that there is",
			func(r *conformance.Run, i *ctap.Info) {
				for name, level := range i.Certifications {
					most, known := levels[name]
					r.Check(level >= 1 && (!known || level <= most), "certifications: %s is %d", name, level)
				}
			}, conformance.Member(0x13)),
		says("minPINLength.with-clientPin", conformance.Since21("6.4"), "minPINLength is there if and only if clientPin is",
			func(r *conformance.Run, i *ctap.Info) { together(r, i, "minPINLength", 0x0D, "clientPin") }),
		says("maxPINLength.with-clientPin", conformance.Since22("6.4"), "maxPINLength is there only with clientPin, and not below minPINLength",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(has(i, "clientPin"), "maxPINLength without clientPin")
				r.Check(i.MaxPINLength >= i.MinPINLength, "maxPINLength is %d, minPINLength %d", i.MaxPINLength, i.MinPINLength)
			}, conformance.Member(0x1D)),
		says("forcePINChange.with-clientPin", conformance.Since21("6.4"), "forcePINChange is true only where a PIN can be changed",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(!i.ForcePINChange || has(i, "clientPin"), "forcePINChange without clientPin")
			}),
		says("pinComplexityPolicy.with-clientPin", conformance.Since22("6.4"), "pinComplexityPolicy is there only with clientPin",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(has(i, "clientPin"), "pinComplexityPolicy without clientPin")
			}, conformance.Member(0x1B)),
		says("pinComplexityPolicyURL.with-policy", conformance.Since22("6.4"), "pinComplexityPolicyURL is there only with pinComplexityPolicy, and is an address",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(i.PinComplexityPolicy != nil, "pinComplexityPolicyURL without pinComplexityPolicy")
				r.Check(bytes.HasPrefix(i.PinComplexityPolicyURL, []byte("http")), "pinComplexityPolicyURL is %q", []byte(i.PinComplexityPolicyURL))
			}, conformance.Member(0x1C)),
		says("uvModality.with-uv", conformance.Since21("6.4"), "uvModality says something only where there is built-in user verification",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(i.UvModality == 0 || has(i, "uv"), "uvModality is 0x%X, and the option uv is absent", i.UvModality)
			}, conformance.Member(0x12)),
		says("preferredPlatformUvAttempts.with-uv", conformance.Since21("6.4"), "preferredPlatformUvAttempts is there only with built-in user verification",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(has(i, "uv"), "preferredPlatformUvAttempts, and the option uv is absent")
			}, conformance.Member(0x11)),
		says("uvCountSinceLastPinEntry.with-uv", conformance.Since22("6.4"), "uvCountSinceLastPinEntry is there only with built-in user verification and a PIN",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(has(i, "uv") && has(i, "clientPin"), "uvCountSinceLastPinEntry, and uv or clientPin is absent")
			}, conformance.Member(0x17)),
		says("remaining.with-rk", conformance.Since21("6.4"), "remainingDiscoverableCredentials is there only with the option rk",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(i.Options["rk"], "remainingDiscoverableCredentials, and rk is not true")
			}, conformance.Member(0x14)),
	)
}

// has tells whether an option id is there, true or false.
func has(i *ctap.Info, option string) bool {
	_, ok := i.Options[option]
	return ok
}

// together checks that a member is there if and only if an option is.
func together(r *conformance.Run, i *ctap.Info, name string, key int, option string) {
	there := conformance.Member(key)(r.Facts()) == ""
	r.Check(there == has(i, option), "%s there: %v; option %s there: %v", name, there, option, has(i, option))
}
