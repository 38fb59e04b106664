package reference

import (
	"io"
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// doors are the ways in beside passkeys and passes, and who watches them. Core.mu
// guards it.
type doors struct {
	accounts map[string]*methods.Account // by user handle
	attempts *expiring[*attempt]         // by id
	policy   rp.MethodPolicy
	rules    []rp.AccessRule
	risk     map[string]string // by user handle; nobody listed is at none
	post     post
	log      journal[rp.SignInEntry]
}

// accountOf returns a person's methods; the caller holds the lock for writing.
func (c *Core) accountOf(p *person) *methods.Account {
	d := &c.doors
	if c.handles[string(p.handle)] == nil { // a stranger in the place of nobody
		return methods.NewAccount(p.name, c.key[:])
	}
	a := d.accounts[string(p.handle)]
	if a == nil {
		a = methods.NewAccount(p.name, c.key[:])
		d.accounts[string(p.handle)] = a
	}
	return a
}

// has lists all methods of a person, passkeys and a usable pass included; the
// caller holds the lock.
func (c *Core) has(p *person) []rp.Method {
	list := []rp.Method{}
	if a := c.doors.accounts[string(p.handle)]; a != nil {
		list = a.List()
	}
	if p.pass != nil && p.pass.state(c.now()).Usable {
		list = append(list, methods.Describe(rp.AccessPass, ""))
	}
	for _, cr := range p.credentials {
		m := methods.Describe(cr.kind(), cr.name)
		m.AddedAt, m.LastUsedAt = cr.created, cr.lastUsed
		list = append(list, m)
	}
	return list
}

// kind names the passkey as sign-in logs do.
func (cr *credential) kind() string {
	return methods.PasskeyKind(cr.aaguid.String(), cr.record.Flags.BackupEligible)
}

// MethodPolicy returns the policy of methods.
func (c *Core) MethodPolicy() rp.MethodPolicy {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.doors.policy
}

// SetMethodPolicy says which methods are taken, and how.
func (c *Core) SetMethodPolicy(policy rp.MethodPolicy) error {
	if err := methods.CheckPolicy(policy); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doors.policy = policy
	c.changed(inSettings, settingMethods)
	c.note(Event{Action: "set-method-policy", Outcome: Done})
	return nil
}

// SignInMethods lists with what somebody can begin to sign in, what is to be tried
// first first. Whoever asks knows no more than a name: addresses are masked, and
// passkeys of one kind are one. A name that nobody has is answered as that of
// somebody with a passkey, and so is one of somebody who has no method at all.
func (c *Core) SignInMethods(name string) ([]rp.Method, error) {
	if err := checkText("user name", name, 128); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, _, err := c.addressed(name)
	if err != nil {
		return nil, err
	}
	if len(c.has(p)) == 0 {
		p = c.stranger(name)
	}
	list := []rp.Method{}
	for _, m := range methods.Offer(c.has(p), p.groups, c.doors.policy, c.now()) {
		m.AddedAt, m.LastUsedAt, m.Address = time.Time{}, time.Time{}, methods.Mask(m.Address)
		if methods.IsPasskey(m.Kind) {
			m.Address = ""
		}
		if !slices.ContainsFunc(list, func(o rp.Method) bool { return o.Kind == m.Kind }) {
			list = append(list, m)
		}
	}
	return list, nil
}

// PersonMethods lists all methods of a person.
func (c *Core) PersonMethods(name string) ([]rp.Method, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, err := c.find(name)
	if err != nil {
		return nil, err
	}
	return c.has(p), nil
}

// EnrolMethod adds a method to a person's account, or changes it, as an
// administrator.
func (c *Core) EnrolMethod(name string, e rp.Enrolment) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(name)
	if err != nil {
		return err
	}
	return c.enrol(p, e)
}

// methodFreshness is how recent a sign-in must be to change one's own methods, as
// in Microsoft Entra ID.
const methodFreshness = 10 * time.Minute

// AddMethod adds a method to the account of whoever signed in within the last ten
// minutes, or changes it.
func (c *Core) AddMethod(token string, e rp.Enrolment) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.full(token)
	if err != nil {
		return err
	}
	if c.now().Sub(s.began) > methodFreshness {
		return refuse(SignInTooOld, "methods are changed within %s of a sign-in: sign in again", methodFreshness)
	}
	return c.enrol(s.owner, e)
}

func (c *Core) enrol(p *person, e rp.Enrolment) error {
	if err := methods.Allowed(e.Kind, c.doors.policy, c.now()); err != nil {
		return err
	}
	if err := c.accountOf(p).Enrol(e, c.now()); err != nil {
		return err
	}
	c.note(Event{Action: "enrol-method", Person: p.name, Method: e.Kind, Outcome: Done})
	return nil
}

// RemoveMethods removes methods of a person: all of them or, when one is not the
// person's, none.
func (c *Core) RemoveMethods(name string, kinds ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(name)
	if err != nil {
		return err
	}
	a := c.accountOf(p)
	for _, kind := range kinds {
		if !slices.ContainsFunc(a.List(), func(m rp.Method) bool { return m.Kind == kind }) {
			return refuse(methods.MethodMissing, "%s has no %s", p.name, kind)
		}
	}
	for _, kind := range kinds {
		a.Remove(kind)
		c.note(Event{Action: "remove-method", Person: p.name, Method: kind, Outcome: Done})
	}
	return nil
}

// DormantMethods lists phishable methods of people who have a passkey that were not
// used for so long, of one group or, without one, of everybody.
func (c *Core) DormantMethods(since time.Duration, group string) ([]rp.Dormant, error) {
	if since < 0 {
		return nil, refuse(BadRequest, "methods cannot be unused for %s", since)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	found := []rp.Dormant{}
	for _, p := range c.roster {
		if group != "" && !slices.Contains(p.groups, group) {
			continue
		}
		for _, m := range methods.Unneeded(c.has(p), c.now().Add(-since)) {
			found = append(found, rp.Dormant{
				Person: p.name, Groups: append([]string{}, p.groups...), Kind: m.Kind, Address: methods.Mask(m.Address),
				LastUsedAt: m.LastUsedAt, AddedAt: m.AddedAt,
			})
		}
	}
	return found, nil
}

// drawer lets methods draw from the relying party's randomness.
type drawer struct{ core *Core }

// Read fills b.
func (d drawer) Read(b []byte) (int, error) {
	d.core.randMu.Lock()
	defer d.core.randMu.Unlock()
	return io.ReadFull(d.core.config.Rand, b)
}

func together(kinds []string) string { return strings.Join(kinds, "+") }
