package keychain

import (
	"errors"
	"fmt"
)

// Code is what went wrong, for programs. It is an error for errors.Is:
//
//	errors.Is(err, keychain.WrongPasscode)
type Code string

// The codes of an [Error].
const (
	AccountExists   Code = "account-exists"
	UnknownAccount  Code = "unknown-account"
	WrongSecret     Code = "wrong-secret"
	WayNotAllowed   Code = "way-not-allowed"
	NotAMember      Code = "not-a-member" // the service does not know this device
	Revoked         Code = "revoked"      // the device was a member
	AlreadyMember   Code = "already-a-member"
	NotApproved     Code = "not-approved" // the join request still waits
	UnknownRequest  Code = "unknown-request"
	CodeMismatch    Code = "code-mismatch"
	UnknownMember   Code = "unknown-member"
	NoEscrow        Code = "no-escrow"
	WrongPasscode   Code = "wrong-passcode"
	EscrowDestroyed Code = "escrow-destroyed"
	EscrowLocked    Code = "escrow-locked"  // wait
	WeakPasscode    Code = "weak-passcode"  // not what the provider takes for a PIN
	NoRecovery      Code = "no-recovery"    // nothing was set up for this way
	WrongProof      Code = "wrong-recovery" // the code, key or contact is not the one
	NotConfirmed    Code = "not-confirmed"  // the owner has not answered the mail
	SecondFactor    Code = "second-factor"  // a code was sent to the owner, and is needed
	TooManyDevices  Code = "too-many-devices"
	TooManyContacts Code = "too-many-contacts"
	NotDeleted      Code = "not-deleted"   // there is nothing to restore
	PlaceTaken      Code = "place-taken"   // another passkey has the place of what should be restored
	StaleEpoch      Code = "stale-epoch"   // the domain key was rotated meanwhile
	Damaged         Code = "damaged"       // what the service answered does not decrypt
	RolledBack      Code = "rolled-back"   // the service has forgotten revisions
	Partitioned     Code = "partitioned"   // no way to the service
	Lost            Code = "lost"          // no answer came
	Delayed         Code = "delayed"       // no answer came yet
	BadRequest      Code = "bad-request"   // the service does not understand
	TooLarge        Code = "too-large"     // the request is larger than the service reads
	StorageFailed   Code = "storage"       // the service could not store
	Unreachable     Code = "unreachable"   // the service cannot be reached over HTTP
	BadAnswer       Code = "bad-answer"    // what answers is not the service
	NotFound        Code = "not-found"     // no such operation
	MethodRefused   Code = "wrong-method"  // HTTP: not POST
	NoRandomness    Code = "no-randomness" // the reader of random bytes failed
)

// Error returns the code.
func (c Code) Error() string { return string(c) }

// Error is a refusal of the service or a failure on the way to it. As JSON it is
// the body of every answer of the HTTP service that is not a success.
type Error struct {
	Code      Code   `json:"code"`
	Message   string `json:"message"`             // what failed
	Hint      string `json:"hint,omitempty"`      // what to do
	TriesLeft *uint  `json:"triesLeft,omitempty"` // with wrong-passcode
	Err       error  `json:"-"`                   // what lies beneath; may be nil
}

// Error returns the message, the code and the hint.
func (e *Error) Error() string {
	s := fmt.Sprintf("keychain: %s (%s)", e.Message, e.Code)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns the code and what lies beneath.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

func failure(code Code, hint, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// asError makes an *Error of any error, for the wire.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: StorageFailed, Message: err.Error()}
}
