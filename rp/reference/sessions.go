package reference

import (
	"slices"
	"time"

	"fido-emu/rp"
)

// The methods of signing in ([rp.Session].Method).
const (
	MethodPasskey = "passkey"
	MethodPass    = "temporaryAccessPass"
)

// Grant is a session as its owner gets it.
type Grant struct {
	Token   string     `json:"-"` // the secret that stands for the session
	Session rp.Session `json:"session"`
	Limited bool       `json:"limited"` // may only register a passkey
	Expires time.Time  `json:"expires"`
}

// session is a standing session. Core.mu guards it.
type session struct {
	hash    string
	owner   *person
	what    rp.Session
	limited bool
	began   time.Time // when its owner proved who they are
	expires time.Time
	signals rp.Signals // where its sign-in came from
	proven  []string   // kinds of the methods; nil for one that is not judged again
}

// Session returns the session of a token, without the token.
func (c *Core) Session(token string) (Grant, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, err := c.standing(token)
	if err != nil {
		return Grant{}, err
	}
	return s.grant(""), nil
}

// SignOut ends the session of a token. Ending one that has ended is no error.
func (c *Core) SignOut(token string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.sessions.get(tokenHash(token)); ok {
		c.end(s)
		c.note(Event{Action: "sign-out", Person: s.owner.name, Outcome: Done})
	}
	return nil
}

// RevokeSessions ends all sessions of a person.
func (c *Core) RevokeSessions(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(name)
	if err != nil {
		return err
	}
	for _, s := range p.sessions {
		c.end(s)
	}
	c.note(Event{Action: "revoke-sessions", Person: p.name, Outcome: Done})
	return nil
}

// begin enters a new session under the hash of its token; the caller holds the
// lock.
func (c *Core) begin(hash string, owner *person, what rp.Session, limited bool) *session {
	now := c.now()
	life := c.config.SessionLifetime
	if limited {
		life = c.config.RecoveryLifetime
	}
	what.Person = owner.name
	s := &session{hash: hash, owner: owner, what: what, limited: limited, began: now, expires: now.Add(life)}
	c.sessions.put(hash, s, now, s.expires)
	owner.sessions[hash] = s
	c.changed(inSessions, hash)
	if !limited {
		c.office.seen(owner, now)
	}
	return s
}

// standing returns the session of a token if it stands; the caller holds the lock.
func (c *Core) standing(token string) (*session, error) {
	s, ok := c.sessions.get(tokenHash(token))
	if !ok || !c.now().Before(s.expires) {
		return nil, refuse(SignInRequired, "no session stands here: sign in")
	}
	if err := c.stillAllowed(s); err != nil {
		return nil, err
	}
	return s, nil
}

// full returns the session of a token if it stands and may do everything; the
// caller holds the lock.
func (c *Core) full(token string) (*session, error) {
	s, err := c.standing(token)
	if err == nil && s.limited {
		return nil, refuse(SessionLimited, "this session may only register a passkey")
	}
	return s, err
}

func (c *Core) end(s *session) {
	c.sessions.take(s.hash)
	c.unlink(s)
}

// endOf ends a person's sessions that came from a passkey.
func (c *Core) endOf(p *person, id []byte) {
	for _, s := range p.sessions {
		if s.what.Credential != nil && slices.Equal(s.what.Credential, id) {
			c.end(s)
		}
	}
}

// unlink takes a session from its owner.
func (c *Core) unlink(s *session) {
	delete(s.owner.sessions, s.hash)
	c.changed(inSessions, s.hash)
}

func (s *session) grant(token string) Grant {
	return Grant{Token: token, Session: s.what, Limited: s.limited, Expires: s.expires}
}
