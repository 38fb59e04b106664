package webauthn

import (
	"context"
	"errors"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

func insecure(format string, args ...any) *Error {
	return &Error{Name: SecurityError, Message: fmt.Sprintf(format, args...)}
}

func notAllowed(message string, err error) *Error {
	return &Error{Name: NotAllowedError, Message: message, Err: err}
}

// failure turns whatever ended a ceremony into the DOMException that the page
// sees. page is the context of the page, ctx the ceremony's own, with its
// timeout.
func failure(page, ctx context.Context, err error) *Error {
	var already *Error
	if errors.As(err, &already) {
		return already
	}
	if errors.Is(page.Err(), context.Canceled) {
		return &Error{Name: AbortError, Message: "the page gave up", Err: context.Cause(page)}
	}
	if ctx.Err() != nil {
		return notAllowed("the ceremony timed out", err)
	}
	var status ctap.Status
	if errors.As(err, &status) {
		return refusal(status, err)
	}
	var broken *platform.Broken
	if errors.As(err, &broken) {
		return &Error{Name: UnknownError, Message: "the authenticator is broken: " + err.Error(), Err: err}
	}
	return &Error{Name: UnknownError, Message: "no answer from the authenticator: " + err.Error(), Err: err}
}

// refusal names an authenticator's refusal. Two are told to the page; it learns
// nothing of the others (section 5.1.3).
func refusal(status ctap.Status, err error) *Error {
	switch status {
	case ctap.ErrCredentialExcluded:
		return &Error{Name: InvalidStateError, Message: "the authenticator holds a credential of excludeCredentials", Err: err}
	case ctap.ErrUnsupportedAlgorithm:
		return &Error{Name: NotSupportedError, Member: "pubKeyCredParams", Message: "the authenticator supports none of the algorithms", Err: err}
	case ctap.ErrNoCredentials:
		return notAllowed("the authenticator holds no credential that matches", err)
	case ctap.ErrKeepaliveCancel:
		return notAllowed("the ceremony was cancelled", err)
	}
	return notAllowed(err.Error(), err)
}

// verificationFailure says that the user was not verified: by the user's own
// choice, or because the authenticator or the client cannot.
func verificationFailure(device string, err error) error {
	for _, own := range []error{
		platform.ErrNoVerification, platform.ErrNoPINEntry, platform.ErrPINChangeRequired,
		platform.ErrPINTooShort, platform.ErrPINTooLong, platform.ErrPINEncoding, platform.ErrNoProtocol,
	} {
		if errors.Is(err, own) {
			return notAllowed(device+": "+err.Error(), err)
		}
	}
	return err
}
