package authenticator

import (
	"context"
	"time"

	"fido-emu/ctap"
)

// resetWindow is how long after power-up a device without a display accepts a
// reset (section 6.6).
const resetWindow = 10 * time.Second

// reset answers authenticatorReset (section 6.6): everything but the signature
// counter returns to factory state.
func (a *Authenticator) reset(ctx context.Context) error {
	if !a.profile.ResetAnytime && a.env.Now().Sub(a.boot.poweredAt) > resetWindow {
		return ctap.ErrNotAllowed
	}
	if err := a.presence(ctx, Prompt{Command: ctap.Reset}); err != nil {
		return err
	}
	// Credentials go first: a reset that is cut short must not leave them without
	// the PIN that guards them.
	if err := a.env.Credentials.Clear(); err != nil {
		return err
	}
	if err := a.initialise(); err != nil {
		return err
	}
	a.boot = boot{poweredAt: a.boot.poweredAt}
	return nil
}

// selection answers authenticatorSelection (section 6.9): the user says with a
// touch that this is the authenticator to use.
func (a *Authenticator) selection(ctx context.Context) error {
	return a.presence(ctx, Prompt{Command: ctap.Selection})
}
