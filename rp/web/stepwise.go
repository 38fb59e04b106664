package web

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// errPaused ends the first half of a ceremony, where the browser is asked.
var errPaused = errors.New("the browser was asked, and the ceremony goes on later")

// pause is a browser that only notes what it was asked.
type pause struct{ options []byte }

var _ webauthn.Client = (*pause)(nil)

// Create notes the options of a registration.
func (p *pause) Create(_ context.Context, _ string, options []byte) ([]byte, error) {
	if p.options != nil {
		return nil, &rp.Unsupported{What: "ceremonies in two halves: it asks the browser more than once in one"}
	}
	p.options = options
	return nil, errPaused
}

// Get notes the options of a sign-in.
func (p *pause) Get(ctx context.Context, origin string, options []byte) ([]byte, error) {
	return p.Create(ctx, origin, options)
}

// halved is a ceremony of which the first half is done.
type halved struct {
	asked *run // as it was when the browser was asked
	step  *step
	pause *pause
}

// BeginRegistration goes through register up to the step in which the browser is asked.
func (p *Party) BeginRegistration(ctx context.Context, who rp.Person) (rp.Ceremony, error) {
	r, err := p.begin("register", "registering passkeys", who)
	if err != nil {
		return nil, err
	}
	defer r.end()
	r.main = p.fork(r.main)
	return r.halve(ctx)
}

// BeginSignIn goes through sign-in up to the step in which the browser is asked.
func (p *Party) BeginSignIn(ctx context.Context, who rp.Person) (rp.Ceremony, error) {
	r, err := p.beginSignIn(who, nil)
	if err != nil {
		return nil, err
	}
	defer r.end()
	return r.halve(ctx)
}

func (r *run) halve(ctx context.Context) (rp.Ceremony, error) {
	c := &halved{asked: r, pause: &pause{}}
	r.client, r.current = c.pause, r.main
	err := r.take(ctx, r.section.steps, 0, false)
	switch {
	case err == nil:
		return nil, broken(r.section.kind.name, errors.New("it ended, and the browser was not asked"))
	case !errors.Is(err, errPaused):
		return nil, err
	}
	c.step = r.now
	return c, nil
}

// Options returns what the browser was asked.
func (c *halved) Options() (origin string, optionsJSON []byte) {
	return c.asked.party.origin, c.pause.options
}

// Finish goes on with a response, with the cookies and variables of when the browser
// was asked, and looks for what came of it: the passkey in the list, or the session.
func (c *halved) Finish(ctx context.Context, responseJSON []byte) (done bool, err error) {
	r := c.asked.fork()
	r.answered(c.step.ceremony, responseJSON)
	before, _ := r.stands(ctx)
	err = r.resume(ctx, c, responseJSON)
	if after, known := r.stands(ctx); known && !before {
		return after, err
	}
	return err == nil, err // the answer is all there is to go by
}

// fork returns a run that goes its own way from here.
func (r *run) fork() *run {
	f := *r
	f.given, f.vars, f.main = maps.Clone(r.given), maps.Clone(r.vars), r.party.fork(r.main)
	f.current = f.main
	return &f
}

func (r *run) resume(ctx context.Context, c *halved, response []byte) error {
	if r.party.d.Capabilities.Serial {
		r.party.turn.Lock()
		defer r.end()
	}
	x := r.exchange(c.step, false)
	x.Line, x.Request, x.Response = "navigator.credentials."+c.step.verb+" at "+r.party.origin, c.pause.options, response
	r.tell(x, nil)
	if err := r.take(ctx, r.section.steps, r.next, false); err != nil {
		return err
	}
	if err := r.prove(ctx); err != nil {
		return err
	}
	if r.section.kind.name == "sign-in" {
		_, err := r.welcomed()
		return err
	}
	r.party.enter(r.who.Name, r.main)
	return nil
}

// stands looks for what came of a ceremony. known is false where the site cannot be
// asked.
func (r *run) stands(ctx context.Context) (stands, known bool) {
	if r.section.kind.name == "register" {
		all, err := r.party.list(ctx, "credentials", r.who)
		return slices.ContainsFunc(all, func(k rp.Credential) bool { return bytes.Equal(k.ID, r.used) }), err == nil
	}
	look, err := r.party.begin("signed-in", "telling whether somebody is signed in", r.who)
	if err != nil {
		return false, false
	}
	defer look.end()
	look.main = r.main
	err = look.through(ctx)
	no, refused := errors.AsType[*rp.Refused](err)
	return err == nil, err == nil || refused && no != nil
}
