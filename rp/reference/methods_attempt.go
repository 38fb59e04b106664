package reference

import (
	"encoding/base64"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// attempt is a sign-in or a reset under way, method by method. Core.mu guards it.
type attempt struct {
	id        string
	purpose   string // rp.ToSignIn or rp.ToReset
	owner     *person
	signals   rp.Signals // of whoever began it
	proven    []string
	details   []rp.SignInDetail
	challenge *methods.Challenge // nil between methods
	ready     bool               // a new password may be set
	expires   time.Time
}

// AttemptUnknown refuses to go on with a sign-in or a reset that is over or never
// began.
const AttemptUnknown = "attempt-unknown"

const (
	attemptLifetime = 15 * time.Minute
	maxAttempts     = 100_000
)

// BeginMethod begins to prove with a method who somebody is. The first method of an
// attempt has no attempt yet; purpose is rp.ToSignIn or rp.ToReset.
func (c *Core) BeginMethod(signals rp.Signals, name, purpose, id, kind string) (rp.Prompt, error) {
	fresh, err := c.random(16)
	if err != nil {
		return rp.Prompt{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.attemptOf(signals, name, purpose, id)
	if err != nil {
		return rp.Prompt{}, err
	}
	if err := c.challenge(a, kind); err != nil {
		c.logAttempt(a, kind, err)
		return rp.Prompt{}, err
	}
	if a.id == "" {
		a.id = base64.RawURLEncoding.EncodeToString(fresh)
		c.doors.attempts.put(a.id, a, c.now(), a.expires)
	}
	p := rp.Prompt{Attempt: a.id, Kind: kind, SentTo: methods.Mask(a.challenge.Address), Questions: a.challenge.Questions, Expires: a.challenge.Expires}
	if kind == rp.Push {
		p.Number = a.challenge.Code
	}
	return p, nil
}

// attemptOf finds the attempt that goes on, or makes one.
func (c *Core) attemptOf(signals rp.Signals, name, purpose, id string) (*attempt, error) {
	if id != "" {
		return c.underWay(id)
	}
	if purpose != rp.ToSignIn && purpose != rp.ToReset {
		return nil, refuse(BadRequest, "purpose %q: want %s or %s", purpose, rp.ToSignIn, rp.ToReset)
	}
	if err := checkText("user name", name, 128); err != nil {
		return nil, err
	}
	p, _, err := c.addressed(name) // nobody is somebody with a passkey alone
	if err != nil {
		return nil, err
	}
	a := &attempt{purpose: purpose, owner: p, signals: signals, expires: c.now().Add(attemptLifetime)}
	if purpose == rp.ToReset {
		if _, _, err := methods.Enough(purpose, nil, c.has(p), c.doors.policy); err != nil {
			c.logAttempt(a, "", err)
			return nil, err
		}
	}
	return a, nil
}

func (c *Core) underWay(id string) (*attempt, error) {
	a, ok := c.doors.attempts.get(id)
	if !ok || !c.now().Before(a.expires) {
		return nil, refuse(AttemptUnknown, "this sign-in was not begun here, or is over: begin again")
	}
	return a, nil
}

// challenge begins one method and sends what is to be sent.
func (c *Core) challenge(a *attempt, kind string) error {
	if err := methods.Fits(a.purpose, kind, a.proven); err != nil {
		return err
	}
	account := c.accountOf(a.owner)
	ch, err := account.Begin(kind, c.doors.policy, drawer{c}, c.now())
	if err != nil {
		return err
	}
	a.challenge = ch
	if ch.Address != "" {
		c.deliver(a.owner, ch, a.signals)
	}
	return nil
}

// FinishMethod takes what was typed, and signs in when that was enough.
func (c *Core) FinishMethod(id, typed string) (rp.Progress, Grant, error) {
	secret, hash, err := c.token()
	if err != nil {
		return rp.Progress{}, Grant{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.underWay(id)
	if err != nil {
		return rp.Progress{}, Grant{}, err
	}
	if a.challenge == nil {
		return rp.Progress{}, Grant{}, refuse(BadRequest, "no method was begun that this could be the answer to")
	}
	kind := a.challenge.Kind
	if err := c.accountOf(a.owner).Finish(a.challenge, typed, c.doors.policy, c.now()); err != nil {
		c.logAttempt(a, kind, err)
		return rp.Progress{}, Grant{}, err
	}
	c.changedName(a.owner.name)
	a.details = append(a.details, c.detail(kind, methods.Mask(a.challenge.Address), nil))
	a.proven, a.challenge = append(a.proven, kind), nil
	done, next, err := methods.Enough(a.purpose, a.proven, c.has(a.owner), c.doors.policy)
	switch {
	case err != nil:
		c.logAttempt(a, "", err)
		return rp.Progress{}, Grant{}, err
	case !done:
		return rp.Progress{Attempt: id, Next: next}, Grant{}, nil
	case a.purpose == rp.ToReset:
		a.ready = true
		return rp.Progress{Attempt: id, Ready: true}, Grant{}, nil
	}
	g, err := c.completed(a, hash)
	g.Token = secret
	return rp.Progress{Attempt: id, Session: &g.Session}, g, err
}

// completed begins the session of somebody who proved enough, if the rules of
// access let it.
func (c *Core) completed(a *attempt, hash string) (Grant, error) {
	c.doors.attempts.take(a.id)
	d, err := c.allow(a.owner, a.signals, a.proven)
	c.logSignIn(a.owner, a.signals, d, a.details, err)
	e := Event{Action: "sign-in", Person: a.owner.name, Method: together(a.proven), Outcome: Done}
	if err != nil {
		return Grant{}, c.refusedHere(e, err)
	}
	c.note(e)
	s := c.begin(hash, a.owner, rp.Session{Method: together(a.proven)}, false)
	c.remember(s, a.signals, a.proven, d.Lifetime)
	return s.grant(""), nil
}

// ResetPassword sets a new password once a reset is ready, and ends all sessions.
func (c *Core) ResetPassword(id, password string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.underWay(id)
	switch {
	case err != nil:
		return err
	case !a.ready:
		return refuse(methods.ResetNeedsMethods, "prove who you are before you set a new password")
	}
	if err := c.accountOf(a.owner).Enrol(rp.Enrolment{Kind: rp.Password, Secret: password}, c.now()); err != nil {
		return err
	}
	c.doors.attempts.take(id)
	for _, s := range a.owner.sessions {
		c.end(s)
	}
	c.note(Event{Action: "reset-password", Person: a.owner.name, Method: together(a.proven), Outcome: Done})
	return nil
}

// logAttempt enters a refusal of one method; a request that waits is none.
func (c *Core) logAttempt(a *attempt, kind string, err error) {
	if isRefused(err, methods.PushWaiting) {
		return
	}
	details := a.details
	if kind != "" {
		details = append(details[:len(details):len(details)], c.detail(kind, "", err))
	}
	if a.purpose == rp.ToSignIn {
		c.logSignIn(a.owner, a.signals, noDecision(), details, err)
	}
	_ = c.refusedHere(Event{Action: a.purpose, Person: a.owner.name, Method: kind}, err) // the refusal goes back as it is
}
