package rp

import (
	"context"

	"fido-emu/webauthn"
)

// Stepwise lets the two halves of a ceremony be taken by themselves, so that a result
// can be handed in twice, late, or in another ceremony.
type Stepwise interface {
	// BeginRegistration begins a registration, of somebody new or of somebody who is
	// signed in.
	BeginRegistration(ctx context.Context, p Person) (Ceremony, error)
	// BeginSignIn begins a sign-in in a browser of its own.
	BeginSignIn(ctx context.Context, p Person) (Ceremony, error)
}

// Ceremony is one that was begun. What is handed in comes from the browser as it was
// then, however often: an attacker repeats a request with the cookies that it had.
type Ceremony interface {
	// Options returns the origin of the page and the options that it was given, in
	// their JSON form.
	Options() (origin string, optionsJSON []byte)
	// Finish hands in a response. done tells, by a follow-up where there is one, that
	// there is a session or a passkey of it, whatever the answer was.
	Finish(ctx context.Context, responseJSON []byte) (done bool, err error)
}

// Wishing lets a client ask for other options than the relying party's own.
type Wishing interface {
	// SignInWishing is SignIn, begun with members that the page does not send, such as
	// {"userVerification": "discouraged"}.
	SignInWishing(ctx context.Context, p Person, wishes map[string]string, c webauthn.Client) (Session, error)
}
