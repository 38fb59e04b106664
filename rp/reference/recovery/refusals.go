package recovery

import (
	"errors"
	"fmt"

	"fido-emu/rp"
)

// The codes of refusals ([rp.Refused]). They are stable: scenarios compare them.
const (
	// Asking (steps 1 to 4).
	Off                 = "recovery-off"           // this relying party has no recovery set up
	NotInScope          = "recovery-not-in-scope"  // no profile is for the person's groups
	NoLicence           = "licence-missing"        // the account has no licence for recovery
	NoRecentSignIn      = "no-recent-sign-in"      // not since the scope changed, or too long ago
	PassNotEnabled      = "pass-not-enabled"       // Temporary Access Passes are not for the person's groups
	ProviderBlocked     = "provider-blocked"       // the only providers for the country are blocked
	CountryNotCovered   = "country-not-covered"    // no provider of the profile covers it
	TooManyStarts       = "too-many-recoveries"    // of this account or from this client: wait
	ProviderUnavailable = "provider-unavailable"   // it does not answer, or fails
	BadPolicy           = "bad-recovery-policy"    // cannot be
	NoVerifiedID        = "verified-id-not-reused" // the profile wants identity proved anew

	// On the way (steps 5 to 7).
	CaseUnknown       = "case-unknown"       // no such case, or its secret is wrong
	CaseExpired       = "case-expired"       // took too long
	CaseSuperseded    = "case-superseded"    // another case of the same account was completed
	CaseInterrupted   = "case-interrupted"   // the relying party was restarted in the middle
	ProofingLost      = "proofing-lost"      // the provider knows nothing of the session any more
	RequestFailed     = "request-failed"     // the presentation could not be asked for
	CallbackForbidden = "callback-forbidden" // without the key of this request
	CallbackUnknown   = "callback-unknown"   // of no open request
	CallbackReplayed  = "callback-replayed"  // came before
	CallbackMalformed = "callback-malformed" // cannot be read, or says what cannot be

	// Deciding (steps 8 to 11). What verification refuses has codes of its own.
	PresentationReplayed = "presentation-replayed" // was shown before
	FaceCheckMissing     = "face-check-missing"    // the callback tells of none
	FaceCheckFailed      = "face-check-failed"     // not alive, not alike enough, or no photo to compare with
	FaceScoreLow         = "face-score-low"        // below the threshold of the profile
	PhotoQualityLow      = "photo-quality-low"     // of the photo in the Verified ID
	NameMismatch         = "name-mismatch"         // not the account's first and last name
	ClaimMismatch        = "claim-mismatch"        // another claim that the profile compares
	NamesMissing         = "names-missing"         // the account has no first and last name
	AmbiguousName        = "ambiguous-name"        // another account has the names, too
	AccountGone          = "account-gone"          // removed while the case was open
)

// Codes lists the refusals of this package, in the order of the steps.
func Codes() []string {
	return []string{
		Off, NotInScope, NoLicence, NoRecentSignIn, PassNotEnabled, ProviderBlocked, CountryNotCovered,
		TooManyStarts, ProviderUnavailable, BadPolicy, NoVerifiedID,
		CaseUnknown, CaseExpired, CaseSuperseded, CaseInterrupted, ProofingLost, RequestFailed,
		CallbackForbidden, CallbackUnknown, CallbackReplayed, CallbackMalformed,
		PresentationReplayed, FaceCheckMissing, FaceCheckFailed, FaceScoreLow, PhotoQualityLow,
		NameMismatch, ClaimMismatch, NamesMissing, AmbiguousName, AccountGone,
	}
}

func refuse(code, format string, args ...any) *rp.Refused {
	return &rp.Refused{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// codeOf returns the code of a refusal, "broken" for any other error.
func codeOf(err error) string {
	if no, ok := errors.AsType[*rp.Refused](err); ok {
		return no.Code
	}
	return "broken"
}
