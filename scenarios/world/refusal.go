package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
	"fido-emu/hid"
	"fido-emu/identity/request"
	"fido-emu/keychain"
	"fido-emu/rp"
	"fido-emu/webauthn"
)

// Refusal is a no of something that works: the outcome that a step with expect:
// refused waits for.
type Refusal struct {
	By      string   // who refused, such as relying party
	Reasons []string // what a reason in a scenario may match, the most telling first
	Message string   // for people
	Err     error    // as it was returned; may be nil
}

// Error says who refused and why.
func (r *Refusal) Error() string {
	if len(r.Reasons) == 0 {
		return r.By + " refused: " + r.Message
	}
	return fmt.Sprintf("%s refused: %s (%s)", r.By, r.Message, r.Reasons[0])
}

// Unwrap returns the error that the refusal was read from.
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse returns a refusal by the world itself, such as a device that is lost.
func Refuse(by, code, format string, args ...any) *Refusal {
	return &Refusal{By: by, Reasons: []string{code}, Message: fmt.Sprintf(format, args...)}
}

// The reasons for which the world itself refuses.
const (
	DeviceLost    = "device-lost"    // it is not in its owner's hands
	NoKeychain    = "no-keychain"    // the device has no part in a sync account
	PasskeyAbsent = "passkey-absent" // it is not on this device
)

// WorldReasons lists them.
func WorldReasons() []string { return []string{DeviceLost, NoKeychain, PasskeyAbsent} }

// AsRefusal reads a refusal out of an error, nil when it is something else: a
// fault of the bench, or of a party that does not work.
func AsRefusal(err error) *Refusal {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	if r, ok := errors.AsType[*rp.Refused](err); ok {
		return &Refusal{By: "relying party", Reasons: []string{r.Code}, Message: r.Reason, Err: err}
	}
	if e, ok := errors.AsType[*keychain.Error](err); ok {
		return &Refusal{By: "keychain", Reasons: []string{string(e.Code)}, Message: e.Message, Err: err}
	}
	if e, ok := errors.AsType[*webauthn.Error](err); ok {
		return &Refusal{By: "browser", Reasons: append([]string{e.Name}, statusNames(err)...), Message: messageOf(e), Err: err}
	}
	if names := statusNames(err); len(names) > 0 {
		return &Refusal{By: "authenticator", Reasons: names, Message: err.Error(), Err: err}
	}
	return nil
}

func messageOf(e *webauthn.Error) string {
	message := e.Message
	if e.Member != "" {
		message += " at " + e.Member
	}
	if e.Err != nil {
		message += ": " + e.Err.Error()
	}
	return message
}

// statusNames returns the CTAP status in an error, if there is one, and what the
// platform refused before it asked.
func statusNames(err error) []string {
	if s, ok := errors.AsType[ctap.Status](err); ok {
		return []string{s.String()}
	}
	for _, known := range slices.Concat(platformReasons(), wireReasons()) {
		if errors.Is(err, known.err) {
			return []string{known.name}
		}
	}
	if _, ok := errors.AsType[*hid.ProtocolError](err); ok {
		return []string{brokenWire}
	}
	return nil
}

// brokenWire is an answer against the rules of CTAPHID.
const brokenWire = "broken-ctaphid"

// knownReason is an error that scenarios know by a name.
type knownReason struct {
	err  error
	name string
}

// wireReasons are what becomes of a request to a device that does not answer it.
func wireReasons() []knownReason {
	all := []knownReason{
		{hid.ErrUnplugged, "unplugged"},
		{hid.ErrNoReply, "no-reply"},
		{hid.ErrEndless, "endless-keepalives"},
	}
	for _, e := range []hid.Error{
		hid.ErrInvalidCmd, hid.ErrInvalidPar, hid.ErrInvalidLen, hid.ErrInvalidSeq, hid.ErrMsgTimeout,
		hid.ErrChannelBusy, hid.ErrLockRequired, hid.ErrInvalidChannel, hid.ErrOther,
	} {
		all = append(all, knownReason{e, e.String()})
	}
	return all
}

func platformReasons() []knownReason {
	return []knownReason{
		{platform.ErrPINChangeRequired, "pin-change-required"},
		{platform.ErrPINTooShort, "pin-too-short"},
		{platform.ErrPINTooLong, "pin-too-long"},
		{platform.ErrPINEncoding, "pin-encoding"},
		{platform.ErrNoVerification, "no-verification"},
		{platform.ErrNoPINEntry, "no-pin-entry"},
	}
}

// KnownReasons lists the reasons that are the same whatever the relying party:
// DOMException names, CTAP statuses, and those of the keychain, the presentation request
// service and the world.
func KnownReasons() []string {
	names := []string{
		webauthn.NotAllowedError, webauthn.InvalidStateError, webauthn.ConstraintError, webauthn.NotSupportedError,
		webauthn.SecurityError, webauthn.TypeError, webauthn.AbortError, webauthn.EncodingError, webauthn.SyntaxError, webauthn.UnknownError,
	}
	for s := range 256 {
		if status := ctap.Status(s); status != ctap.OK && !strings.Contains(status.String(), " ") {
			names = append(names, status.String())
		}
	}
	for _, known := range slices.Concat(platformReasons(), wireReasons()) {
		names = append(names, known.name)
	}
	return append(append(names, brokenWire, string(request.TokenError), string(request.ClaimValidationError)), WorldReasons()...)
}
