package authenticator

import (
	"context"
	"time"

	"fido-emu/ctap"
)

// userActionTimeout is how long the user has to touch or to be recognised.
const userActionTimeout = 30 * time.Second

// presence asks for a touch. The error is ctap.ErrOperationDenied,
// ctap.ErrUserActionTimeout or ctap.ErrKeepaliveCancel; a caller whose section
// says otherwise maps it.
func (a *Authenticator) presence(ctx context.Context, p Prompt) error {
	p.Timeout = userActionTimeout
	ctap.ReportProgress(ctx, ctap.UPNeeded)
	defer ctap.ReportProgress(ctx, ctap.Processing)
	return statusOf(a.env.User.Presence(ctx, p))
}

func statusOf(answer Answer) error {
	switch answer {
	case Granted:
		return nil
	case TimedOut:
		return ctap.ErrUserActionTimeout
	case Cancelled:
		return ctap.ErrKeepaliveCancel
	case NotRecognised:
		return ctap.ErrUVInvalid
	}
	return ctap.ErrOperationDenied
}

// ceremonyPresence asks for a touch as makeCredential and getAssertion do: a user
// who lets the time run out has declined.
func (a *Authenticator) ceremonyPresence(ctx context.Context, p Prompt) error {
	err := a.presence(ctx, p)
	if err == ctap.ErrUserActionTimeout {
		return ctap.ErrOperationDenied
	}
	return err
}

// internalUvAttempts is maxUvAttemptsForInternalRetries, which is also what
// getInfo recommends to platforms.
func (p *Profile) internalUvAttempts() uint { return min(3, p.uvRetries()) }

// performBuiltInUV is performBuiltInUv(internalRetry) of section 6.5.3.1. A try is
// counted, durably, before the user is looked at. The error is
// ctap.ErrUVBlocked, ctap.ErrUVInvalid, ctap.ErrOperationDenied,
// ctap.ErrUserActionTimeout or ctap.ErrKeepaliveCancel.
func (a *Authenticator) performBuiltInUV(ctx context.Context, p Prompt, internalRetry bool) error {
	attempts := uint(1)
	if internalRetry {
		attempts = a.profile.internalUvAttempts()
	}
	var err error
	for range attempts {
		if err = a.tryBuiltInUV(ctx, p); err != ctap.ErrUVInvalid {
			return err
		}
	}
	return err
}

func (a *Authenticator) tryBuiltInUV(ctx context.Context, p Prompt) error {
	if a.device.UVRetries == 0 {
		return ctap.ErrUVBlocked
	}
	d := a.device
	d.UVRetries--
	d.UVSincePIN++
	if err := a.save(d); err != nil {
		return err
	}
	p.Timeout = userActionTimeout
	ctap.ReportProgress(ctx, ctap.UPNeeded)
	answer := a.env.User.Verify(ctx, p)
	ctap.ReportProgress(ctx, ctap.Processing)
	if answer == NotRecognised {
		if a.device.UVRetries == 0 {
			return ctap.ErrUVBlocked
		}
		return ctap.ErrUVInvalid
	}
	return a.uvTryReturned(answer)
}

// uvTryReturned gives back the try that was taken: all of them after a match, the
// one when nobody tried.
func (a *Authenticator) uvTryReturned(answer Answer) error {
	d := a.device
	d.UVRetries++
	if answer == Granted {
		d.UVRetries = a.profile.uvRetries()
	} else {
		d.UVSincePIN--
	}
	if err := a.save(d); err != nil {
		return err
	}
	return statusOf(answer)
}

// ceremonyUV is built-in user verification within makeCredential and
// getAssertion, with the status that those end with.
func (a *Authenticator) ceremonyUV(ctx context.Context, p Prompt) error {
	err := a.performBuiltInUV(ctx, p, true)
	if (err == ctap.ErrUVInvalid || err == ctap.ErrUVBlocked) && a.pinSet() {
		return ctap.ErrPUATRequired
	}
	if err == ctap.ErrUVInvalid {
		return ctap.ErrOperationDenied
	}
	return err
}
