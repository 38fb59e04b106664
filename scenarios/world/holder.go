package world

import (
	"context"
	"errors"

	"fido-emu/ctap/authenticator"
)

// hands is in whose hands a device is.
type hands int

const (
	owners hands = iota
	nobodys
	thiefs
)

// holder is the person in front of a device, who answers when it asks. It is the
// device's authenticator.User.
type holder struct {
	world *World
	in    hands
	knows bool // a thief who knows the PIN or passcode
	touch string
	model *authenticator.Profile
	meter *meter // of the device, which wants to know of touches
}

// Presence answers as the scenario's touch policy says.
func (h *holder) Presence(ctx context.Context, p authenticator.Prompt) authenticator.Answer {
	switch {
	case ctx.Err() != nil:
		return authenticator.Cancelled
	case h.in == nobodys || h.touch == "never":
		return h.late(p)
	case h.touch == "no":
		return authenticator.Denied
	}
	h.meter.touched()
	return authenticator.Granted
}

// Verify answers like Presence, and is not recognised where the finger is not the
// owner's.
func (h *holder) Verify(ctx context.Context, p authenticator.Prompt) authenticator.Answer {
	answer := h.Presence(ctx, p)
	if answer == authenticator.Granted && !h.recognised() {
		return authenticator.NotRecognised
	}
	return answer
}

// recognised tells whether the device takes its holder for its owner. A phone or computer
// that does not know the face or finger asks for its passcode.
func (h *holder) recognised() bool {
	if h.in == thiefs {
		return h.knows && (h.model.Platform || h.model.BuiltInUV == authenticator.Passcode)
	}
	return h.touch != "wrong-finger"
}

// late lets the time pass that the device waits.
func (h *holder) late(p authenticator.Prompt) authenticator.Answer {
	h.world.Clock.Advance(p.Timeout)
	return authenticator.TimedOut
}

var errThief = errors.New("the thief does not know the PIN")
var errNoPIN = errors.New("the holder knows no PIN of it")
var errGaveUp = errors.New("the PIN was wrong, and the holder knows no other")

// typePIN is what the holder types who is asked for the PIN; typed is what the
// scenario says.
func (d *Device) typePIN(typed string, wrong bool) (string, error) {
	switch {
	case wrong:
		return "", errGaveUp
	case typed != "":
		return d.real(typed), nil
	case d.holder.in == thiefs && !d.holder.knows:
		return "", errThief
	case d.PIN == "":
		return "", errNoPIN
	}
	return d.PIN, nil
}
