package credential

import (
	"errors"
	"fmt"
)

// Reason says in one word why a credential or a presentation is refused. Each step of
// verification has one.
type Reason string

// Reasons.
const (
	Malformed          Reason = "malformed" // truncated, too, or not of these types at all
	WrongAlgorithm     Reason = "wrong-algorithm"
	UnknownIssuer      Reason = "unknown-issuer"
	KeyOfAnother       Reason = "key-of-another" // kid names a key of somebody else
	Unresolved         Reason = "unresolved"     // no DID document to be had
	UnknownKey         Reason = "unknown-key"
	BadSignature       Reason = "bad-signature"
	Inconsistent       Reason = "inconsistent"
	WrongType          Reason = "wrong-type"
	NotYetValid        Reason = "not-yet-valid"
	Expired            Reason = "expired"
	StatusUnavailable  Reason = "status-unavailable"
	Revoked            Reason = "revoked"
	WrongAudience      Reason = "wrong-audience"
	UnknownNonce       Reason = "unknown-nonce"
	Stale              Reason = "stale"
	ExtraCredentials   Reason = "extra-credentials"
	MissingCredentials Reason = "missing-credentials"
	HolderNotBound     Reason = "holder-not-bound"
	Replayed           Reason = "replayed"
)

// Refusal is the error of every verification.
type Refusal struct {
	Step   Step
	Reason Reason
	Err    error // the particulars
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("refused at %s (%s): %v", r.Step.Name, r.Reason, r.Err)
}

// Unwrap returns the particulars.
func (r *Refusal) Unwrap() error { return r.Err }

// ReasonOf returns why err refuses, "" where it is no refusal.
func ReasonOf(err error) Reason {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}
