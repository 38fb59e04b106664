package reference

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"time"

	"fido-emu/rp"
)

// The lifetimes that a Temporary Access Pass may have: those of
// temporaryAccessPassAuthenticationMethod in Microsoft Graph.
const (
	MinPassLifetime = 10 * time.Minute
	MaxPassLifetime = 43200 * time.Minute
)

// passLetters leaves out what people confuse: 0 and O, 1 and I.
const passLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// PassRequest asks for a Temporary Access Pass.
type PassRequest struct {
	Person   string        // user name
	Start    time.Time     // the zero time: at once
	Lifetime time.Duration // whole minutes
	Once     bool          // good for one use
}

// PassState is what can be told of a pass. Usability is as in Microsoft Graph:
// EnabledByPolicy, NotYetValid, Expired or OneTimeUsed.
type PassState struct {
	Start     time.Time `json:"start"`
	Expires   time.Time `json:"expires"`
	Once      bool      `json:"once"`
	Usable    bool      `json:"usable"`
	Usability string    `json:"usability"`
}

// pass is a Temporary Access Pass; its text is nowhere.
type pass struct {
	hash    [32]byte
	issued  time.Time
	start   time.Time
	expires time.Time
	once    bool
	used    bool
}

// passTries counts the wrong passes given for a name since a time.
type passTries struct {
	name  string
	wrong int
	until time.Time
}

// IssuePass issues a pass of 60 random bits, written as three groups of four
// letters. It takes the place of the one that the person had.
func (c *Core) IssuePass(r PassRequest) (string, error) {
	c.steps.RLock()
	defer c.steps.RUnlock()
	text, err := c.issuePass(r)
	if err == nil && c.office.desk != nil {
		c.office.desk.Replaced(r.Person)
		c.deskChanged()
	}
	return text, err
}

func (c *Core) issuePass(r PassRequest) (string, error) {
	if r.Lifetime < MinPassLifetime || r.Lifetime > MaxPassLifetime || r.Lifetime%time.Minute != 0 {
		return "", refuse(BadLifetime, "a pass lasts 10 to 43200 whole minutes, not %s", r.Lifetime)
	}
	text, err := c.passText()
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(r.Person)
	if err != nil {
		return "", err
	}
	if r.Start.IsZero() {
		r.Start = c.now()
	}
	if r.Start.Add(r.Lifetime).Year() > 9999 {
		return "", refuse(BadLifetime, "a pass cannot last until after the year 9999")
	}
	p.pass = &pass{hash: c.passHash(p, text), issued: c.now(), start: r.Start, expires: r.Start.Add(r.Lifetime), once: r.Once}
	c.note(Event{Action: "issue-pass", Person: p.name, Method: MethodPass, Outcome: Done})
	return text, nil
}

// RedeemPass begins a session that may only register a passkey. Why a pass is not
// good is told only to whoever has it.
func (c *Core) RedeemPass(name, text string) (Grant, error) {
	return c.RedeemPassFrom(rp.Signals{}, name, text)
}

// RedeemPassFrom is RedeemPass with what is known of where the sign-in comes from.
func (c *Core) RedeemPassFrom(signals rp.Signals, name, text string) (Grant, error) {
	e := Event{Action: "redeem-pass", Method: MethodPass, Person: name}
	if err := checkText("user name", name, 128); err != nil {
		return Grant{}, err
	}
	secret, hash, err := c.token()
	if err != nil {
		return Grant{}, err
	}
	c.mu.Lock()
	p := c.people[fold(name)]
	err = c.tryPass(signals, p, name, text)
	if err != nil {
		c.mu.Unlock()
		return Grant{}, c.refusedSignIn(signals, e, err)
	}
	defer c.mu.Unlock()
	e.Person, e.Outcome = p.name, Done
	c.note(e)
	s := c.begin(hash, p, rp.Session{Method: MethodPass}, true)
	s.signals = signals
	return s.grant(secret), nil
}

// tryPass compares and, when all is well, uses up; the caller holds the lock. A
// try is counted before the comparison.
func (c *Core) tryPass(signals rp.Signals, p *person, name, text string) error {
	tries := c.triesOf(name)
	if tries.wrong >= c.config.PassTries {
		return refuse(TooManyTries, "too many wrong passes: wait until %s", tries.until.UTC().Format(time.RFC3339))
	}
	tries.wrong++
	var none [32]byte
	given, stored := c.passHash(p, text), &none
	if p != nil && p.pass != nil {
		stored = &p.pass.hash
	}
	if same := hmac.Equal(given[:], stored[:]); !same || stored == &none {
		return refuse(PassWrong, "this is not a pass of %s", name)
	}
	tries.wrong--
	switch state := p.pass.state(c.now()); state.Usability {
	case "NotYetValid":
		return refuse(PassNotYetValid, "this pass is good from %s on", state.Start.UTC().Format(time.RFC3339))
	case "Expired":
		return refuse(PassExpired, "this pass was good until %s", state.Expires.UTC().Format(time.RFC3339))
	case "OneTimeUsed":
		return refuse(PassUsed, "this pass was good for one use and has been used")
	}
	d, err := c.allow(p, signals, []string{rp.AccessPass})
	if err != nil {
		return err
	}
	p.pass.used = true
	tries.wrong = 0
	c.logSignIn(p, signals, d, []rp.SignInDetail{c.detail(rp.AccessPass, "", nil)}, nil)
	return nil
}

// triesOf returns the count that stands for a name, whether or not somebody has
// it.
func (c *Core) triesOf(name string) *passTries {
	now := c.now()
	if t, ok := c.tries.get(fold(name)); ok && now.Before(t.until) {
		return t
	}
	t := &passTries{name: name, until: now.Add(c.config.PassTryWindow)}
	c.tries.put(fold(name), t, now, t.until)
	return t
}

func (p *pass) state(now time.Time) PassState {
	s := PassState{Start: p.start, Expires: p.expires, Once: p.once}
	switch {
	case p.once && p.used:
		s.Usability = "OneTimeUsed"
	case now.Before(p.start):
		s.Usability = "NotYetValid"
	case !now.Before(p.expires):
		s.Usability = "Expired"
	default:
		s.Usable, s.Usability = true, "EnabledByPolicy"
	}
	return s
}

func (c *Core) passText() (string, error) {
	b, err := c.random(12)
	if err != nil {
		return "", err
	}
	var s strings.Builder
	for i, x := range b {
		if i > 0 && i%4 == 0 {
			s.WriteByte('-')
		}
		s.WriteByte(passLetters[x%32])
	}
	return s.String(), nil
}

// passHash binds a pass to its person under a key that only this process has, so
// that hashes alone are of no use. Case, dashes and spaces do not count.
func (c *Core) passHash(p *person, text string) (h [32]byte) {
	mac := hmac.New(sha256.New, c.key[:])
	if p != nil {
		mac.Write(p.handle)
	}
	mac.Write([]byte(strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(text))))
	mac.Sum(h[:0])
	return h
}
