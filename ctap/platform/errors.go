package platform

import (
	"errors"
	"fmt"

	"fido-emu/ctap"
)

// Refused is a working authenticator's no. It unwraps to its ctap.Status.
type Refused struct {
	Doing  string // command or subcommand, such as authenticatorMakeCredential
	Status ctap.Status
	Hint   string // what to do about it; may be empty
}

// Error returns what was refused, the status and what to do.
func (r *Refused) Error() string {
	s := r.Doing + ": " + r.Status.Error()
	if r.Hint != "" {
		s += ": " + r.Hint
	}
	return s
}

// Unwrap returns the status.
func (r *Refused) Unwrap() error { return r.Status }

// Broken is an answer that no working authenticator gives.
type Broken struct {
	Doing  string // command or subcommand, such as authenticatorGetInfo
	Reason string // what is wrong with the answer
	Err    error  // what lies beneath, never a ctap.Status; may be nil
}

// Error returns what was asked and what is wrong with the answer.
func (b *Broken) Error() string {
	s := b.Doing + ": broken answer: " + b.Reason
	if b.Err != nil {
		s += ": " + b.Err.Error()
	}
	return s
}

// Unwrap returns what lies beneath.
func (b *Broken) Unwrap() error { return b.Err }

// Errors that come before anything is sent.
var (
	// ErrPINChangeRequired is returned while getInfo's forcePINChange is true.
	ErrPINChangeRequired = errors.New("the authenticator wants its PIN changed before it is used: change the PIN")
	// ErrPINTooShort is returned for a PIN of fewer code points than minPINLength.
	ErrPINTooShort = errors.New("the PIN is too short")
	// ErrPINTooLong is returned for a PIN of more than 63 bytes of UTF-8, or of more
	// code points than maxPINLength.
	ErrPINTooLong = errors.New("the PIN is too long")
	// ErrPINEncoding is returned for a PIN that is not UTF-8 or contains NUL, which
	// pads it on the wire.
	ErrPINEncoding = errors.New("the PIN is not UTF-8 text without NUL")
	// ErrNoVerification is returned when the authenticator cannot verify its user as
	// it is: no PIN is set and no built-in user verification is configured.
	ErrNoVerification = errors.New("the authenticator cannot verify its user: set a PIN or enrol a fingerprint first")
	// ErrNoPINEntry is returned when a PIN is needed and there is nobody to ask for it.
	ErrNoPINEntry = errors.New("a PIN is needed and there is nobody to ask for it")
	// ErrNoProtocol is returned when getInfo lists no PIN/UV auth protocol that this
	// package has.
	ErrNoProtocol = errors.New("the authenticator offers no known PIN/UV auth protocol")
)

var hints = map[ctap.Status]string{
	ctap.ErrPINAuthBlocked:       "three wrong PINs in a row; take the authenticator out and insert it again, then try the right PIN",
	ctap.ErrPINBlocked:           "no PIN tries are left; only a reset helps, which deletes every credential on the authenticator",
	ctap.ErrUVBlocked:            "built-in user verification is blocked; enter the PIN to unblock it",
	ctap.ErrPINNotSet:            "no PIN is set; set one first",
	ctap.ErrPUATRequired:         "user verification is needed; give the PIN or use built-in user verification",
	ctap.ErrPINPolicyViolation:   "the PIN is not allowed, or must be changed first; choose another, longer PIN",
	ctap.ErrKeyStoreFull:         "no room for another discoverable credential; delete one",
	ctap.ErrFPDatabaseFull:       "no room for another fingerprint; remove one",
	ctap.ErrLargeBlobStorageFull: "no room for the large blob; remove another",
	ctap.ErrUserActionTimeout:    "nobody touched the authenticator in time",
	ctap.ErrActionTimeout:        "nobody touched the authenticator in time",
	ctap.ErrOperationDenied:      "the user declined, or nobody touched the authenticator in time",
	ctap.ErrUnsupportedAlgorithm: "none of the algorithms asked for is supported",
}

func refused(doing string, status ctap.Status) error {
	return &Refused{doing, status, hints[status]}
}

// broken returns a *Broken. What lies beneath may be a Status by which the decoder
// says what is wrong; nobody refused anything with it, so it goes into the reason.
func broken(doing, reason string, err error) error {
	var status ctap.Status
	if errors.As(err, &status) {
		return &Broken{doing, reason + ": " + err.Error(), nil}
	}
	return &Broken{doing, reason, err}
}

// answer splits a response into its status and its parameters and turns a status
// other than OK into an error.
func answer(doing string, response []byte) ([]byte, error) {
	if len(response) == 0 {
		return nil, broken(doing, "no status byte", nil)
	}
	if status := ctap.Status(response[0]); status != ctap.OK {
		return nil, refused(doing, status)
	}
	return response[1:], nil
}

func tooShort(points, least uint) error {
	return fmt.Errorf("%w: %d code points, at least %d needed", ErrPINTooShort, points, least)
}
