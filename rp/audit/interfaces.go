package audit

import (
	"context"
	"time"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// What an adapter can do beyond package rp's interfaces, and attacks need.

// Stepwise lets the two halves of a ceremony be taken by themselves, so that a result
// can be handed in twice, late, or in another ceremony.
type Stepwise interface {
	BeginRegistration(ctx context.Context, p rp.Person) (Ceremony, error)
	BeginSignIn(ctx context.Context, p rp.Person) (Ceremony, error)
}

// Ceremony is one that was begun.
type Ceremony interface {
	// Options returns the origin of the page and the options that it was given, in
	// their JSON form.
	Options() (origin string, optionsJSON []byte)
	// Finish hands in a response. done tells, by a follow-up, that there is a session or
	// a passkey of it.
	Finish(ctx context.Context, responseJSON []byte) (done bool, err error)
}

// Wishing lets a client ask for other options than the relying party's own.
type Wishing interface {
	// SignInWishing is SignIn, begun with members that the page does not send, such as
	// {"userVerification": "discouraged"}.
	SignInWishing(ctx context.Context, p rp.Person, wishes map[string]string, c webauthn.Client) (rp.Session, error)
}

// Clock lets time pass for a relying party that runs on a clock of our own.
type Clock interface {
	Pass(d time.Duration)
}
