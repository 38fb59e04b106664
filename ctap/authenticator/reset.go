package authenticator

import (
	"context"
	"slices"
	"time"

	"fido-emu/ctap"
)

// resetWindow is how long after power-up a device without a display accepts a
// reset (section 6.6).
const resetWindow = 10 * time.Second

// longTouch is how long a touch for a reset lasts where config asked for a long one.
const longTouch = 10 * time.Second

// reset answers authenticatorReset (section 6.6): everything but the signature
// counter returns to factory state, and no finger is enrolled.
func (a *Authenticator) reset(ctx context.Context) error {
	if !a.resetsOver(ctap.Transport(ctx)) {
		return ctap.ErrOperationDenied
	}
	if !a.profile.ResetAnytime && a.env.Now().Sub(a.boot.poweredAt) > resetWindow {
		return ctap.ErrNotAllowed
	}
	prompt := Prompt{Command: ctap.Reset}
	if a.device.LongTouchForReset {
		prompt.Hold = longTouch
	}
	if err := a.presence(ctx, prompt); err != nil {
		return err
	}
	// Credentials go first: a reset that is cut short must not leave them without
	// the PIN that guards them.
	if err := a.env.Credentials.Clear(); err != nil {
		return err
	}
	if err := a.initialise(0); err != nil {
		return err
	}
	a.boot = boot{poweredAt: a.boot.poweredAt}
	return nil
}

// resetsOver tells whether a reset may come over a transport: any where the profile
// names none. A request that says not how it came, came over the profile's first.
func (a *Authenticator) resetsOver(transport string) bool {
	p := &a.profile
	if transport == "" && len(p.Transports) > 0 {
		transport = p.Transports[0]
	}
	return len(p.ResetTransports) == 0 || slices.Contains(p.ResetTransports, transport)
}

// selection answers authenticatorSelection (section 6.9): the user says with a
// touch that this is the authenticator to use.
func (a *Authenticator) selection(ctx context.Context) error {
	return a.presence(ctx, Prompt{Command: ctap.Selection})
}
