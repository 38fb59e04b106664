package authenticator

import (
	"context"
	"slices"
	"testing"

	"fido-emu/ctap"
)

// display is a user who picks an account on the authenticator.
type display struct {
	*rig
	pick   int
	answer Answer
	shown  []string
}

func (d *display) Choose(_ context.Context, p Prompt, accounts []ctap.User) (int, Answer) {
	d.shown = nil
	for _, a := range accounts {
		d.shown = append(d.shown, a.Name)
	}
	return d.pick, d.answer
}

func TestDisplay(t *testing.T) {
	p := securityKey()
	p.Display = true
	r := newRig(t, p)
	d := &display{rig: r}
	r.auth.env.User = d
	ada, bob := r.make(discoverable("example.com", "ada")), r.make(discoverable("example.com", "bob"))

	d.pick = 1
	response, _ := r.get(assertion("example.com"), ada.Attested.PublicKey)
	if !response.UserSelected || response.NumberOfCredentials != 0 || string(response.User.ID) != "ada" {
		t.Errorf("picked: %+v", response)
	}
	if want := []string{"bob@example.com", "ada@example.com"}; !slices.Equal(d.shown, want) {
		t.Errorf("shown %v, want %v", d.shown, want)
	}
	r.want(r.send(ctap.GetNextAssertion, nil, nil), ctap.ErrNotAllowed, "getNextAssertion")
	for answer, want := range map[Answer]ctap.Status{Denied: ctap.ErrOperationDenied, TimedOut: ctap.ErrOperationDenied, Cancelled: ctap.ErrKeepaliveCancel} {
		d.answer = answer
		r.want(r.send(ctap.GetAssertion, assertion("example.com"), nil), want, "getAssertion")
	}
	d.answer, d.pick = Granted, 2
	r.want(r.send(ctap.GetAssertion, assertion("example.com"), nil), ctap.ErrOperationDenied, "an account that was not shown")

	d.shown = nil
	if response, _ := r.get(assertion("example.com", bob.Attested.ID), bob.Attested.PublicKey); response.UserSelected || d.shown != nil {
		t.Error("the user was asked about an allow list")
	}
	silent := assertion("example.com")
	silent.Options = map[string]bool{"up": false}
	if response, _ := r.get(silent, bob.Attested.PublicKey); response.UserSelected || response.NumberOfCredentials != 2 {
		t.Errorf("silent: %+v", response)
	}
}

func TestCTAP20TouchesBeforeItTells(t *testing.T) {
	for version, touches := range map[string]int{"FIDO_2_0": 1, "FIDO_2_1_PRE": 0, "FIDO_2_1": 0} {
		p := securityKey()
		p.Versions = []string{version}
		r := newRig(t, p)
		r.want(r.send(ctap.GetAssertion, assertion("example.com"), nil), ctap.ErrNoCredentials, version)
		if len(r.asked) != touches {
			t.Errorf("%s: %d touches, want %d", version, len(r.asked), touches)
		}
	}
}
