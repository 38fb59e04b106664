package world

import (
	"context"
	"errors"

	"fido-emu/webauthn"
)

// Overheard returns what somebody has who read along at the last sign-in of p with a
// passkey: a client that sends the same again, whatever it is asked.
func (w *World) Overheard(p *Person) (webauthn.Client, error) {
	if p.overheard == nil {
		return nil, &Missing{"nothing was read along: " + p.Name + " has to sign in with a passkey first, in a browser that the harness has a part of"}
	}
	return overheard{p.overheard}, nil
}

type overheard struct{ response []byte }

// Create has nothing to send.
func (o overheard) Create(context.Context, string, []byte) ([]byte, error) {
	return nil, errors.New("of a registration nothing is sent again")
}

// Get sends what was sent before.
func (o overheard) Get(context.Context, string, []byte) ([]byte, error) { return o.response, nil }
