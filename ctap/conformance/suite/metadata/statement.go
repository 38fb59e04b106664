package metadata

import (
	"regexp"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// words are the values that a member of the statement can have (FIDO Registry of
// Predefined Values).
type words struct {
	name   string
	values []string
	of     func(s *conformance.Statement) []string
}

func wordLists() []words {
	return []words{
		{"keyProtection", []string{"software", "hardware", "tee", "secure_element", "remote_handle"},
			func(s *conformance.Statement) []string { return s.KeyProtection }},
		{"matcherProtection", []string{"software", "tee", "on_chip"},
			func(s *conformance.Statement) []string { return s.Matcher }},
		{"attachmentHint", []string{"internal", "external", "wired", "wireless", "nfc", "bluetooth", "network", "ready", "wifi_direct"},
			func(s *conformance.Statement) []string { return s.AttachmentHint }},
		{"publicKeyAlgAndEncodings", []string{"ecc_x962_raw", "ecc_x962_der", "rsa_2048_raw", "rsa_2048_der", "cose"},
			func(s *conformance.Statement) []string { return s.KeyEncodings }},
		{"attestationTypes", []string{"basic_full", "basic_surrogate", "ecdaa", "attca", "anonca", "none"},
			func(s *conformance.Statement) []string { return s.AttestationTypes }},
	}
}

// form is about the statement in itself.
func form() []conformance.Case {
	return conformance.Join(
		conformance.Each(wordLists(), func(w words) conformance.Case {
			return says("form."+w.name, w.name+" is not empty, and its words are those of the FIDO registry, none twice", func(r *conformance.Run, s *conformance.Statement) {
				all := w.of(s)
				r.Require(len(all) > 0, "%s is empty", w.name)
				for i, word := range all {
					r.Check(slices.Contains(w.values, word), "%s has %q, which there is not", w.name, word)
					r.Check(!slices.Contains(all[:i], word), "%s has %q twice", w.name, word)
				}
			})
		}),
		conformance.One(
			says("form.description", "legalHeader and description are there, and description is not longer than 200 characters", func(r *conformance.Run, s *conformance.Statement) {
				r.Check(s.LegalHeader != "", "legalHeader is empty")
				r.Check(s.Description != "" && len([]rune(s.Description)) <= 200, "description is %q", s.Description)
			}),
			says("form.schema", "schema is 3", func(r *conformance.Run, s *conformance.Statement) {
				conformance.Equal(r, "schema", s.Schema, 3)
			}),
			says("form.keyProtection.one", "keys are protected by software or by hardware, and not by both", func(r *conformance.Run, s *conformance.Statement) {
				software := slices.Contains(s.KeyProtection, "software")
				hardware := slices.Contains(s.KeyProtection, "hardware")
				r.Check(software != hardware, "keyProtection is %q", s.KeyProtection)
			}),
			says("form.roots", "attestationRootCertificates are there if and only if an attestation type has certificates", func(r *conformance.Run, s *conformance.Statement) {
				certified := slices.ContainsFunc(s.AttestationTypes, isCertified)
				r.Check(certified == (len(s.Roots) > 0), "attestationTypes is %q, and there are %d attestationRootCertificates", s.AttestationTypes, len(s.Roots))
			}),
		),
	)
}

// aaguidForm is how a statement writes an AAGUID.
var aaguidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// identity is about which model it is.
func identity() []conformance.Case {
	return conformance.One(
		says("protocolFamily", "protocolFamily is fido2 for an authenticator of CTAP2, and u2f for one of U2F alone", func(r *conformance.Run, s *conformance.Statement) {
			want := "u2f"
			if r.Facts().Info != nil {
				want = "fido2"
			}
			conformance.Equal(r, "protocolFamily", s.ProtocolFamily, want)
		}),
		fido2("aaguid", "aaguid is that of getInfo, in lower-case hexadecimal with dashes", func(r *conformance.Run, s *conformance.Statement) {
			r.Require(aaguidForm.MatchString(s.AAGUID), "aaguid is %q", s.AAGUID)
			conformance.Equal(r, "aaguid", s.AAGUID, aaguidOf(r.Info().AAGUID))
		}),
		touching(fido2("aaguid.credential", "credentials have the aaguid of the statement", func(r *conformance.Run, s *conformance.Statement) {
			conformance.Equal(r, "aaguid in authData", aaguidOf(r.NewCredential().Data.Attested.AAGUID[:]), s.AAGUID)
		})),
		fido2("upv", "upv has the versions of FIDO2 that getInfo lists, and no others", func(r *conformance.Run, s *conformance.Statement) {
			for minor, name := range []string{"FIDO_2_0", "FIDO_2_1", "FIDO_2_2", "FIDO_2_3"} {
				stated := slices.Contains(s.UPV, conformance.StatedVersion{Major: 1, Minor: uint(minor)})
				r.Check(stated == slices.Contains(r.Info().Versions, name), "upv is %v, and versions %q: they differ about %s", s.UPV, r.Info().Versions, name)
			}
		}),
		fido2("authenticatorVersion", "authenticatorVersion is firmwareVersion of getInfo", func(r *conformance.Run, s *conformance.Statement) {
			r.Require(s.Version != nil, "authenticatorVersion is missing")
			conformance.Equal(r, "authenticatorVersion", *s.Version, r.Info().FirmwareVersion)
		}, conformance.Member(0x0E)),
	)
}

// aaguidOf writes an AAGUID as statements do.
func aaguidOf(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	return ctap.AAGUID(b).String()
}
