package reference

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// ownView is what people see of their own account beside their passkeys.
type ownView struct {
	Methods  []methodView
	Sessions []sessionView // the newest first
	Notices  []rp.RecoveryNotice
	Choices  []methods.Facts // of methods that can be added
}

// methodView is a method that is no passkey, with its title and a masked address.
type methodView struct {
	rp.Method
	Title string
}

// sessionView is a standing session.
type sessionView struct {
	Here           bool   // it is that of whoever asks
	Title          string // of the method that it began with
	Location       string
	Began, Expires time.Time
}

// passkeys shows people their passkeys, or how to set up the first.
func (s *server) passkeys(r *http.Request, p *page) string {
	if p.Session == nil {
		return "/"
	}
	token := s.token(r)
	list, err := s.core.Credentials(token)
	if err != nil { // limited sessions see none
		return ""
	}
	p.Credentials = s.core.wire(list)
	if p.Own, err = s.core.own(token); err != nil {
		return "/" // it has ended meanwhile
	}
	return ""
}

// own gathers what the owner of a session sees.
func (c *Core) own(token string) (*ownView, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	here, err := c.full(token)
	if err != nil {
		return nil, err
	}
	return &ownView{
		Methods: c.fallbacks(here.owner), Sessions: c.sessionsOf(here.owner, here),
		Notices: c.notices(here.owner), Choices: c.enrollable(),
	}, nil
}

// fallbacks lists the methods of a person beside passkeys and passes; the caller holds
// the lock.
func (c *Core) fallbacks(p *person) (list []methodView) {
	a := c.doors.accounts[string(p.handle)]
	if a == nil {
		return nil
	}
	for _, m := range a.List() {
		m.Address = methods.Mask(m.Address)
		list = append(list, methodView{m, methodTitle(m.Kind)})
	}
	return list
}

// methodTitle names a method for people.
func methodTitle(kind string) string {
	f, _ := methods.About(kind)
	return cmp.Or(f.Title, map[string]string{MethodPasskey: "Passkey"}[kind], kind)
}

// sessionsOf lists the standing sessions of a person, the newest first; the caller
// holds the lock.
func (c *Core) sessionsOf(p *person, here *session) (list []sessionView) {
	for _, hash := range slices.Sorted(maps.Keys(p.sessions)) {
		s := p.sessions[hash]
		if c.now().Before(s.expires) {
			list = append(list, sessionView{s == here, methodTitle(s.what.Method), s.signals.Location, s.began, s.expires})
		}
	}
	slices.SortStableFunc(list, func(a, b sessionView) int { return b.Began.Compare(a.Began) })
	return list
}

// notices returns what a person was told of recoveries, the newest first; the caller
// holds the lock.
func (c *Core) notices(p *person) []rp.RecoveryNotice {
	list := slices.Clone(c.office.notices[string(p.handle)])
	slices.Reverse(list)
	return list
}

// enrollable lists the kinds of method that can be added now, the strongest first; the
// caller holds the lock.
func (c *Core) enrollable() (list []methods.Facts) {
	for _, f := range slices.Backward(methods.Table()) {
		if !methods.IsPasskey(f.Kind) && f.Kind != rp.AccessPass && methods.Allowed(f.Kind, c.doors.policy, c.now()) == nil {
			list = append(list, f)
		}
	}
	return list
}

// removeOwnMethods removes methods of whoever signed in within the last ten minutes.
func (s *server) removeOwnMethods(_ http.ResponseWriter, r *http.Request) (any, error) {
	name, err := s.core.justSignedIn(s.token(r))
	if err != nil {
		return nil, err
	}
	return nil, s.core.RemoveMethods(name, r.URL.Query()["kind"]...)
}

// justSignedIn returns the user name of a session that began within the last ten minutes.
func (c *Core) justSignedIn(token string) (name string, err error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, err := c.full(token)
	if err != nil {
		return "", err
	}
	if c.now().Sub(s.began) > methodFreshness {
		return "", refuse(SignInTooOld, "methods are removed within %s of a sign-in: sign out, and sign in again", methodFreshness)
	}
	return s.owner.name, nil
}

// endOtherSessions ends all sessions of a person but the one that asks.
func (s *server) endOtherSessions(_ http.ResponseWriter, r *http.Request) (any, error) {
	c := s.core
	c.mu.Lock()
	defer c.mu.Unlock()
	here, err := c.full(s.token(r))
	if err != nil {
		return nil, err
	}
	for _, other := range here.owner.sessions {
		if other != here {
			c.end(other)
		}
	}
	c.note(Event{Action: "revoke-sessions", Person: here.owner.name, Outcome: Done, Detail: "all but the one that asked"})
	return nil, nil
}
