package rp

import (
	"context"

	"fido-emu/webauthn"
)

// Headed lets the requests of a ceremony carry headers of an attacker's choice. Host is
// the name under which the relying party is asked; the connection stays the same.
type Headed interface {
	// RegisterWith is Register with headers.
	RegisterWith(ctx context.Context, headers map[string]string, p Person, c webauthn.Client) (Credential, error)
	// SignInWith is SignIn with headers.
	SignInWith(ctx context.Context, headers map[string]string, p Person, c webauthn.Client) (Session, error)
}
