package conformance

import (
	"context"
	"fmt"

	"fido-emu/ctap"
)

// prepare does something before a case, by the means of cases.
func (b *bench) prepare(ctx context.Context, what string, do func(r *Run)) error {
	r := &Run{Case: &Case{ID: what, Run: do}, ctx: ctx, bench: b, began: b.target.Now()}
	err := r.execute()
	if err == nil && len(r.failures) > 0 {
		f := r.failures[0]
		err = fmt.Errorf("%s: want %s, got %s", f.Text, f.Want, f.Got)
	}
	if err != nil {
		return fmt.Errorf("%s, to begin with: %w", what, err)
	}
	return nil
}

// setPIN sets a PIN.
func (b *bench) setPIN(ctx context.Context, pin string) error {
	return b.prepare(ctx, "setting a PIN", func(r *Run) { r.SetPIN(pin) })
}

// changePIN changes a PIN that is known.
func (b *bench) changePIN(ctx context.Context, old, pin string) error {
	return b.prepare(ctx, "changing the PIN back", func(r *Run) { r.ChangePIN(old, pin) })
}

// enterPIN enters the PIN, so that all tries are left again.
func (b *bench) enterPIN(ctx context.Context) error {
	return b.prepare(ctx, "entering the PIN", func(r *Run) {
		s := r.Agree(r.Protocol())
		r.Send(ctap.ClientPIN, s.GetPinTokenParams(b.state.pin)).OK()
	})
}
