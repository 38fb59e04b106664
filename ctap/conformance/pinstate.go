package conformance

import (
	"context"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// exchanger is the bench as a platform sees it.
type exchanger struct{ b *bench }

func (x exchanger) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	channel, err := x.b.open(ctx)
	if err != nil {
		return nil, err
	}
	response, err := channel.Exchange(ctx, request)
	if err == nil {
		x.b.observe(request, ctap.Status(response[0]))
	}
	return response, err
}

// setPIN sets a PIN before a case.
func (b *bench) setPIN(ctx context.Context, pin string) error {
	if err := platform.New(exchanger{b}, b.rand).SetPIN(ctx, pin); err != nil {
		return fmt.Errorf("setting a PIN, to begin with: %w", err)
	}
	b.learnPIN(pin)
	return nil
}

// enterPIN enters the PIN, so that all tries are left again.
func (b *bench) enterPIN(ctx context.Context) error {
	host := platform.New(exchanger{b}, b.rand)
	if _, err := host.LegacyToken(ctx, b.state.pin); err != nil {
		return fmt.Errorf("entering the PIN, to begin with: %w", err)
	}
	b.state.spent = false
	return nil
}
