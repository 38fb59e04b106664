package reference

import (
	"errors"
	"fmt"

	"fido-emu/rp"
	"fido-emu/rp/reference/access"
	"fido-emu/rp/reference/methods"
)

func noDecision() access.Decision {
	return access.Decision{Status: "notApplied", Applied: []rp.AppliedPolicy{}}
}

// logSignIn enters a sign-in of p, nil where nobody knows whose it was, done or refused,
// in the shape of signIn in Microsoft Graph; the caller holds the lock.
func (c *Core) logSignIn(p *person, signals rp.Signals, d access.Decision, details []rp.SignInDetail, err error) {
	e := rp.SignInEntry{
		ID: fmt.Sprintf("s%d", c.doors.log.last+1), Created: c.now(), RiskLevel: rp.RiskNone,
		Location:     rp.SignInLocation{CountryOrRegion: signals.Location},
		DeviceDetail: rp.SignInDevice{IsCompliant: signals.Compliant},
		Access:       d.Status, AppliedPolicies: d.Applied, Details: append([]rp.SignInDetail{}, details...),
	}
	if p != nil {
		e.UserPrincipalName, e.RiskLevel = p.name, c.riskOf(p)
	}
	var no *rp.Refused
	if errors.As(err, &no) {
		e.Status = rp.SignInStatus{FailureReason: no.Code, AdditionalDetails: no.Reason}
	}
	enter(c, &c.doors.log, inSignIns, c.config.AuditCapacity, e)
}

// detail is one step of a sign-in.
func (c *Core) detail(kind, about string, err error) rp.SignInDetail {
	d := rp.SignInDetail{Method: kind, Detail: about, StepTime: c.now(), Succeeded: err == nil, Result: "correct"}
	var no *rp.Refused
	if errors.As(err, &no) {
		d.Result = no.Reason
	}
	if f, ok := methods.About(kind); ok && d.Detail == "" {
		d.Detail = f.Title
	}
	return d
}

// SignIns returns the sign-ins of a person or, without a name, of everybody that are
// after the one with that id, oldest first, at most limit.
func (c *Core) SignIns(name, after string, limit int) ([]rp.SignInEntry, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if name != "" {
		p, err := c.find(name)
		if err != nil {
			return nil, err
		}
		name = p.name
	}
	found, from := []rp.SignInEntry{}, after == ""
	for _, e := range c.doors.log.entries {
		if from && (name == "" || e.UserPrincipalName == name) && len(found) < limit {
			found = append(found, e)
		}
		from = from || e.ID == after
	}
	return found, nil
}

// refusedHere enters a refusal in the audit log and returns it; the caller holds the
// lock.
func (c *Core) refusedHere(e Event, err error) error {
	var no *rp.Refused
	if errors.As(err, &no) {
		e.Outcome, e.Reason, e.Detail = Refused, no.Code, no.Reason
		c.note(e)
	}
	return err
}

// refusedSignIn enters a refused sign-in with a passkey or a pass in both logs.
func (c *Core) refusedSignIn(signals rp.Signals, e Event, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind, p := MethodPasskey, c.people[fold(e.Person)]
	if e.Method == MethodPass {
		kind = rp.AccessPass
	} else if cr := c.credentials[string(e.Credential)]; cr != nil {
		kind = cr.kind()
	}
	d := noDecision()
	var no *rp.Refused
	if p != nil && errors.As(err, &no) && accessRefusals(no.Code) {
		d, _ = c.allow(p, signals, []string{kind}) // as before: which rules spoke
	}
	c.logSignIn(p, signals, d, []rp.SignInDetail{c.detail(kind, "", err)}, err)
	return c.refusedHere(e, err)
}

func accessRefusals(code string) bool {
	return code == access.Blocked || code == access.DeviceRequired || code == access.StrengthMissing
}
