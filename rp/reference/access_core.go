package reference

import (
	"slices"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/access"
	"fido-emu/rp/reference/methods"
)

// AccessRules returns the rules of Conditional Access.
func (c *Core) AccessRules() []rp.AccessRule {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.doors.rules)
}

// SetAccessRules sets all rules of Conditional Access. They hold at once, also for
// sessions that stand.
func (c *Core) SetAccessRules(rules []rp.AccessRule) error {
	if err := access.Check(rules); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doors.rules = slices.Clone(rules)
	c.changed(inSettings, settingAccess)
	c.note(Event{Action: "set-access-rules", Outcome: Done})
	return nil
}

// SetRisk sets the user risk of a person. At rp.RiskHigh, as when an account is
// confirmed compromised, all sessions end at once and only a passkey signs in,
// which brings the risk back to none.
func (c *Core) SetRisk(name, level string) error {
	if !access.IsRisk(level) {
		return refuse(access.BadRule, "risk %q: want none, low, medium or high", level)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(name)
	if err != nil {
		return err
	}
	c.setRisk(p, level)
	return nil
}

// Risk returns the user risk of a person.
func (c *Core) Risk(name string) (string, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, err := c.find(name)
	if err != nil {
		return "", err
	}
	return c.riskOf(p), nil
}

func (c *Core) setRisk(p *person, level string) {
	c.doors.risk[string(p.handle)] = level
	c.note(Event{Action: "set-risk", Person: p.name, Outcome: Done, Detail: level})
	if level != rp.RiskHigh {
		return
	}
	for _, s := range p.sessions {
		c.end(s)
	}
}

func (c *Core) riskOf(p *person) string {
	if level := c.doors.risk[string(p.handle)]; level != "" {
		return level
	}
	return rp.RiskNone
}

// allow decides on a sign-in. A passkey makes good for a high risk; a pass, which
// can do no more than register one, is let through too, and no strength is asked of
// it.
func (c *Core) allow(p *person, signals rp.Signals, proven []string) (access.Decision, error) {
	risk := c.riskOf(p)
	passkey := slices.ContainsFunc(proven, methods.IsPasskey)
	pass := slices.Contains(proven, rp.AccessPass)
	rules := c.doors.rules
	if pass {
		rules = withoutStrength(rules)
	}
	d := access.Evaluate(rules, access.Request{Groups: p.groups, Risk: risk, Signals: signals, Proven: proven})
	switch {
	case d.Refused != nil:
		return d, d.Refused
	case risk == rp.RiskHigh && !passkey && !pass:
		return d, refuse(access.PasskeyRequired, "the account of %s is at high risk: only a passkey signs in", p.name)
	}
	return d, nil
}

func withoutStrength(rules []rp.AccessRule) []rp.AccessRule {
	rules = slices.Clone(rules)
	for i := range rules {
		rules[i].Strength = ""
	}
	return rules
}

// remember keeps what a session was granted for, so that it can be judged again
// (continuous access evaluation). A passkey brings a high risk back to none.
func (c *Core) remember(s *session, signals rp.Signals, proven []string, lifetime time.Duration) {
	s.signals, s.proven = signals, proven
	if slices.ContainsFunc(proven, methods.IsPasskey) && c.riskOf(s.owner) == rp.RiskHigh {
		c.setRisk(s.owner, rp.RiskNone)
	}
	if until := c.now().Add(lifetime); lifetime > 0 && until.Before(s.expires) {
		s.expires = until
	}
}

// stillAllowed judges a standing session by the rules, the groups and the risk of
// now; the caller holds the lock.
func (c *Core) stillAllowed(s *session) error {
	if s.proven == nil || s.limited {
		return nil
	}
	d := access.Evaluate(c.doors.rules, access.Request{Groups: s.owner.groups, Risk: c.riskOf(s.owner), Signals: s.signals, Proven: s.proven})
	if d.Refused != nil {
		return refuse(SignInRequired, "this session no longer meets the rules of access (%s): sign in", d.Refused.Reason)
	}
	return nil
}
