package reference

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/recovery"
)

// office is account recovery with its papers. Core.mu guards everything but desk,
// which is set once, before the relying party is used, and has a lock of its own
// that comes before Core.mu.
type office struct {
	kept       *recovery.Snapshot // of the desk of a process before
	desk       *recovery.Desk     // nil where recovery is not set up
	public     string             // see RecoveryServices; set with desk, as are wallet and linkage
	wallet     string
	linkage    []byte
	identities map[string]rp.Identity // by folded user name
	lastSeen   map[string]time.Time   // by user handle: the last full session began
	notices    map[string][]rp.RecoveryNotice
	log        journal[rp.RecoveryEvent]
}

// maxNotices bounds what is kept for each person.
const maxNotices = 50

// seen remembers that somebody signed in fully; the caller holds the lock.
func (o *office) seen(p *person, now time.Time) {
	o.lastSeen[string(p.handle)] = now
}

// recoveryDesk returns the desk, or a refusal where there is none.
func (c *Core) recoveryDesk() (*recovery.Desk, error) {
	if c.office.desk == nil {
		return nil, refuse(recovery.Off, "account recovery is not set up here: ask the helpdesk")
	}
	return c.office.desk, nil
}

// HasRecovery tells whether account recovery is set up.
func (c *Core) HasRecovery() bool { return c.office.desk != nil }

// SetIdentity says what the directory has on the person of a user name, with or
// without an account as yet. Recovery compares it with a Verified ID, so that only
// an administrator sets it.
func (c *Core) SetIdentity(name string, id rp.Identity) error {
	if err := checkPerson(rp.Person{Name: name}); err != nil {
		return err
	}
	if err := checkIdentity(id); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.office.identities[fold(name)] = id
	c.note(Event{Action: "set-identity", Person: name, Outcome: Done})
	return nil
}

func checkIdentity(id rp.Identity) error {
	for _, field := range []struct{ what, text string }{{"first name", id.GivenName}, {"last name", id.FamilyName}} {
		if field.text == "" {
			continue
		}
		if err := checkText(field.what, field.text, 128); err != nil {
			return err
		}
	}
	if id.BirthDate != "" {
		if _, err := time.Parse(time.DateOnly, id.BirthDate); err != nil {
			return refuse(BadRequest, "date of birth %q: want a day such as 1990-12-31", id.BirthDate)
		}
	}
	if n := len(id.Country); n != 0 && n != 2 {
		return refuse(BadRequest, "country %q: want two letters of ISO 3166-1, such as GB", id.Country)
	}
	return nil
}

// Identity returns what the directory has on somebody; the zero Identity for
// nothing.
func (c *Core) Identity(name string) rp.Identity {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.office.identities[fold(name)]
}

// SetRecoveryPolicy says who may recover and how.
func (c *Core) SetRecoveryPolicy(policy rp.RecoveryPolicy) error {
	desk, err := c.recoveryDesk()
	if err != nil {
		return err
	}
	if err := desk.SetPolicy(policy); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note(Event{Action: "set-recovery-policy", Outcome: Done})
	c.changed(inSettings, settingRecovery)
	return nil
}

// RecoveryPolicy returns the policy that holds; without profiles, recovery is off.
func (c *Core) RecoveryPolicy() rp.RecoveryPolicy {
	if c.office.desk == nil {
		return rp.RecoveryPolicy{}
	}
	return c.office.desk.Policy()
}

// RecoveryNotices returns what the owner of an account was told of recoveries,
// oldest first, the last fifty.
func (c *Core) RecoveryNotices(name string) ([]rp.RecoveryNotice, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, err := c.find(name)
	if err != nil {
		return nil, err
	}
	return append([]rp.RecoveryNotice{}, c.office.notices[string(p.handle)]...), nil
}

// OwnRecoveryNotices is RecoveryNotices for whoever holds the session.
func (c *Core) OwnRecoveryNotices(token string) ([]rp.RecoveryNotice, error) {
	c.mu.RLock()
	s, err := c.full(token)
	c.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	return c.RecoveryNotices(s.owner.name)
}

// RecoveryLog returns what was logged of recoveries of an account, or of all
// without a name, oldest first. It reaches back as far as the audit log.
func (c *Core) RecoveryLog(name string) []rp.RecoveryEvent {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.DeleteFunc(append([]rp.RecoveryEvent{}, c.office.log.entries...), func(e rp.RecoveryEvent) bool {
		return name != "" && fold(e.Person) != fold(name)
	})
}

// noteRecovery enters an event of the desk in the audit log, and in its own.
func (c *Core) noteRecovery(e recovery.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.office
	entry := Event{Action: e.Step, Person: e.Account, Outcome: Done, Reason: e.Reason, Detail: e.Detail}
	if !e.Done {
		entry.Outcome = Refused
	}
	c.note(entry)
	enter(c, &o.log, inRecoveries, c.config.AuditCapacity, rp.RecoveryEvent{
		Time: c.now(), Case: e.Case, Person: e.Account, Step: e.Step, Done: e.Done, Reason: e.Reason, Detail: e.Detail,
	})
	c.changed(inSettings, settingRecovery)
}

// tellOwner keeps a notice for the owner of an account, and sends it to wherever
// the owner reads.
func (c *Core) tellOwner(name string, n rp.RecoveryNotice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.people[fold(name)]
	if p == nil {
		return
	}
	o := &c.office
	kept := append(o.notices[string(p.handle)], n)
	o.notices[string(p.handle)] = kept[max(0, len(kept)-maxNotices):]
	c.changedName(p.name)
	c.send(p, n.Text)
}

// recoverable is the directory as the desk sees it.
type recoverable struct{ core *Core }

func (r recoverable) Account(name string) (recovery.Account, bool) {
	r.core.mu.RLock()
	defer r.core.mu.RUnlock()
	p := r.core.people[fold(name)]
	if p == nil {
		return recovery.Account{}, false
	}
	return r.core.office.account(p), true
}

func (r recoverable) All() []recovery.Account {
	r.core.mu.RLock()
	defer r.core.mu.RUnlock()
	all := make([]recovery.Account, len(r.core.roster))
	for i, p := range r.core.roster {
		all[i] = r.core.office.account(p)
	}
	return all
}

func (o *office) account(p *person) recovery.Account {
	id := o.identities[fold(p.name)]
	return recovery.Account{
		Name: p.name, Groups: slices.Clone(p.groups), Given: id.GivenName, Family: id.FamilyName, BirthDate: id.BirthDate,
		Country: id.Country, Licensed: !id.Unlicensed, LastSignIn: o.lastSeen[string(p.handle)],
	}
}

// issueRecoveryPass issues the pass at the end of a case: good for one use.
func (c *Core) issueRecoveryPass(name string, lifetime time.Duration) (string, error) {
	return c.issuePass(PassRequest{Person: name, Lifetime: lifetime, Once: true})
}

// completeRecovery is step 13: a passkey was registered in a session from a pass.
// Where the case says so, everything else that its owner could sign in with goes,
// and every session but the one that has just begun.
func (c *Core) completeRecovery(name string, keep []byte) error {
	if c.office.desk == nil || !c.office.desk.Registered(name) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(name)
	if err != nil {
		return fmt.Errorf("revoke what %s had before: %w", name, err)
	}
	for _, cr := range slices.Clone(p.credentials) {
		if !slices.Equal(cr.record.ID, keep) {
			c.remove(cr)
			c.note(Event{Action: "revoke-credential", Person: p.name, Credential: cr.record.ID, Outcome: Done, Detail: "after recovery"})
		}
	}
	for _, s := range p.sessions {
		if !slices.Equal(s.what.Credential, keep) {
			c.end(s)
		}
	}
	c.dropMethods(p)
	p.pass = nil
	return nil
}

// dropMethods removes every method of a person that is no passkey; the caller holds
// the lock.
func (c *Core) dropMethods(p *person) {
	a := c.doors.accounts[string(p.handle)]
	if a == nil {
		return
	}
	for _, m := range a.List() {
		a.Remove(m.Kind)
		c.note(Event{Action: "remove-method", Person: p.name, Method: m.Kind, Outcome: Done, Detail: "after recovery"})
	}
}

// send tells somebody something wherever there is an address; the caller holds the
// lock.
func (c *Core) send(p *person, text string) {
	a := c.doors.accounts[string(p.handle)]
	if a == nil {
		return
	}
	for _, m := range a.List() {
		if m.Kind == rp.Email || m.Kind == rp.SMS || m.Kind == rp.Push {
			c.mail(rp.Message{Kind: rp.Notice, Person: p.name, Address: m.Address, Text: c.config.Name + ": " + text})
		}
	}
}

// StartRecovery begins a case for an account. The client is where the request came
// from, for the limit on starts; it may be empty.
func (c *Core) StartRecovery(ctx context.Context, name, client string, ask rp.RecoveryAsk) (rp.RecoveryCase, error) {
	desk, err := c.recoveryDesk()
	if err != nil {
		return rp.RecoveryCase{}, err
	}
	if err := checkText("user name", name, 128); err != nil {
		return rp.RecoveryCase{}, err
	}
	return desk.Start(ctx, recovery.Ask{RecoveryAsk: ask, Account: name, Client: client})
}

// RecoveryStatus tells whoever has its secret how a case stands.
func (c *Core) RecoveryStatus(ctx context.Context, id, secret string) (rp.RecoveryStatus, error) {
	desk, err := c.recoveryDesk()
	if err != nil {
		return rp.RecoveryStatus{}, err
	}
	return desk.Status(ctx, id, secret)
}

// ContinueRecovery tells whoever came by the link of a case where to go on.
func (c *Core) ContinueRecovery(ctx context.Context, link string) (state, url string, err error) {
	desk, err := c.recoveryDesk()
	if err != nil {
		return "", "", err
	}
	url, state, err = desk.Continue(ctx, link)
	return state, url, err
}
