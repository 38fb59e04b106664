package authenticator

import (
	"slices"
	"strings"
)

// Suits tells whether the quirk can show on authenticators of a profile. What it needs
// is said in words of getInfo: a version, an option id or an extension identifier, each
// of which the profile must have, or with "no " before it must not; and a few of our
// own: counter, attestation, reset window, backup eligible.
func (q Quirk) Suits(p *Profile) bool {
	if q.Level == Core && len(p.Versions) == 0 && !slices.Contains(q.Needs, "U2F_V2") {
		return false // it is about CTAP2
	}
	for _, need := range q.Needs {
		word, not := strings.CutPrefix(need, "no ")
		if p.offers(word) == not {
			return false
		}
	}
	return true
}

// offers tells whether a profile has what a word stands for, whether or not it is
// switched on.
func (p *Profile) offers(word string) bool {
	switch word {
	case "rk":
		return p.Discoverable
	case "uv":
		return p.BuiltInUV != NoBuiltInUV
	case "clientPin":
		return p.ClientPIN
	case "pinUvAuthToken":
		return p.tokens()
	case "alwaysUv":
		return p.tokens() && (p.AlwaysUV || p.Config)
	case "credMgmt":
		return p.CredentialManagement
	case "authnrCfg":
		return p.Config
	case "bioEnroll":
		return p.Biometrics.Enrollment
	case "ep":
		return p.Enterprise.Capable
	case "largeBlobs":
		return p.LargeBlobs
	case "perCredMgmtRO":
		return p.ReadOnlyManagement
	}
	return p.offersMore(word)
}

// offersMore is offers for what is no option.
func (p *Profile) offersMore(word string) bool {
	switch word {
	case "encCredStoreState":
		return p.EncCredStoreState
	case "longTouchForReset":
		return p.LongTouchForReset
	case "vendorConfigCommands":
		return len(p.VendorConfigCommands) > 0
	case "CTAP2":
		return len(p.Versions) > 0
	case "U2F_V2":
		return p.U2F
	case "FIDO_2_1":
		return p.ctap21()
	case "FIDO_2_3":
		return p.ctap22()
	case "counter":
		return p.Counter != NoCounter
	case "attestation":
		return p.Attestation != NoAttestation
	case "reset window":
		return !p.ResetAnytime
	case "backup eligible":
		return p.BackupEligible
	}
	return slices.Contains(p.Extensions, word)
}
