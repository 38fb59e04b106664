package reference

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"fido-emu/ctap/cose"
	"fido-emu/rp"
	"fido-emu/rp/reference/access"
	"fido-emu/rp/reference/methods"
)

// name takes up what is kept under a user name.
func (l *loading) name(key string, value []byte) error {
	var r nameRecord
	if err := exactly(value, &r); err != nil {
		return err
	}
	if err := checkGroups(r.Expected); err != nil {
		return err
	}
	if key == "" || !utf8.ValidString(key) {
		return errors.New("its name is no text")
	}
	if r.Expected != nil {
		l.directory[key] = r.Expected
	}
	if r.Identity != nil {
		if err := checkIdentity(*r.Identity); err != nil {
			return err
		}
		l.office.identities[key] = *r.Identity
	}
	if r.Tries != nil {
		l.recall(key, *r.Tries)
	}
	if r.Account == nil {
		return nil
	}
	if fold(r.Account.Name) != key {
		return fmt.Errorf("its account is that of %s", strconv.Quote(r.Account.Name))
	}
	return l.account(r.Account)
}

// recall takes up how many passes were tried, where that still counts.
func (l *loading) recall(name string, r triesRecord) {
	if now := l.now(); now.Before(r.Until) {
		l.tries.put(name, &passTries{name, r.Wrong, r.Until}, now, r.Until)
	} else {
		l.changedName(name)
	}
}

func (l *loading) account(r *accountRecord) error {
	who := rp.Person{Name: r.Name, DisplayName: r.DisplayName, Groups: r.Groups}
	if err := checkPerson(who); err != nil {
		return err
	}
	handle := string(r.Handle)
	if len(handle) != 32 || l.handles[handle] != nil {
		return errors.New("its user handle is another's, or has not 32 bytes")
	}
	p := newPerson(who, r.Handle)
	p.order = r.Order
	l.people[fold(p.name)], l.handles[handle] = p, p
	l.roster = append(l.roster, p)
	for _, cr := range r.Credentials {
		if err := l.credential(p, cr); err != nil {
			return err
		}
	}
	if s := r.Pass; s != nil {
		if len(s.Hash) != 32 {
			return errors.New("its pass is no hash")
		}
		p.pass = &pass{[32]byte(s.Hash), s.Issued, s.Start, s.Expires, s.Once, s.Used}
	}
	if !r.LastSeen.IsZero() {
		l.office.seen(p, r.LastSeen)
	}
	if r.Notices != nil {
		l.office.notices[handle] = r.Notices
	}
	return l.doorsOf(p, r)
}

// doorsOf takes up the risk and the methods of an account.
func (l *loading) doorsOf(p *person, r *accountRecord) (err error) {
	handle := string(p.handle)
	if r.Risk != "" {
		if !access.IsRisk(r.Risk) {
			return fmt.Errorf("its risk is %q", r.Risk)
		}
		l.doors.risk[handle] = r.Risk
	}
	if r.Methods != nil {
		l.doors.accounts[handle], err = methods.Restore(p.name, l.key[:], r.Methods)
	}
	return err
}

func (l *loading) credential(p *person, r credentialRecord) error {
	id := string(r.Record.ID)
	if id == "" || len(id) > 1023 || l.Core.credentials[id] != nil {
		return errors.New("the id of a passkey is another's, or has not 1 to 1023 bytes")
	}
	alg, _, err := cose.Parse(r.Record.PublicKey)
	if err != nil {
		return fmt.Errorf("the public key of a passkey: %w", err)
	}
	cr := &credential{owner: p, record: r.Record, algorithm: alg, name: r.Name, trusted: r.Trusted, created: r.Created, lastUsed: r.LastUsed}
	copy(cr.aaguid[:], r.Record.Authenticator.AAGUID)
	p.credentials = append(p.credentials, cr)
	l.Core.credentials[id] = cr
	return nil
}
