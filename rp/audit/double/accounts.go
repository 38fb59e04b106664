package double

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"fido-emu/rp"
)

func sorted(ids [][]byte) [][]byte {
	slices.SortFunc(ids, bytes.Compare)
	return ids
}

// SignOut ends the session of a person.
func (d *Double) SignOut(_ context.Context, p rp.Person) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, p.Name)
	return nil
}

// SignedIn tells whether a person has a session.
func (d *Double) SignedIn(_ context.Context, p rp.Person) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions[p.Name] != "", nil
}

// admitted returns the account whose session it is; the caller holds the lock.
func (d *Double) admitted(p rp.Person) (*person, error) {
	who := d.people[p.Name]
	if who == nil || d.sessions[p.Name] == "" && !d.lacks("management.session") {
		return nil, refuse("sign-in-required", "nobody is signed in")
	}
	return who, nil
}

// Credentials lists the passkeys of a person, oldest first.
func (d *Double) Credentials(_ context.Context, p rp.Person) ([]rp.Credential, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	who, err := d.admitted(p)
	if err != nil {
		return nil, err
	}
	list := []rp.Credential{}
	for _, r := range d.records {
		if r.owner == who {
			list = append(list, r.describe())
		}
	}
	slices.SortFunc(list, func(a, b rp.Credential) int { return bytes.Compare(a.ID, b.ID) })
	return list, nil
}

// managed returns a passkey that a person may manage.
func (d *Double) managed(p rp.Person, id []byte, step string) (*record, error) {
	who, err := d.admitted(p)
	if err != nil {
		return nil, err
	}
	r := d.records[string(id)]
	if r == nil || r.owner != who && !d.lacks(step) {
		return nil, refuse("unknown-credential", "there is no such passkey")
	}
	return r, nil
}

// RenameCredential renames a passkey.
func (d *Double) RenameCredential(_ context.Context, p rp.Person, id []byte, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.managed(p, id, "management.rename")
	if err == nil {
		r.name = name
	}
	return err
}

// DeleteCredential deletes a passkey.
func (d *Double) DeleteCredential(_ context.Context, p rp.Person, id []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.managed(p, id, "management.delete")
	if err == nil {
		d.deleted[string(id)] = r
		delete(d.records, string(id))
	}
	return err
}

// AddPerson makes an account.
func (d *Double) AddPerson(_ context.Context, p rp.Person) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	handle, err := d.draw(32)
	if err != nil {
		return &rp.Broken{Doing: "drawing a user handle", Err: err}
	}
	if d.people[p.Name] != nil {
		return refuse("person-exists", "there is an account of that name")
	}
	d.people[p.Name] = &person{Person: p, handle: handle}
	return nil
}

// SetPolicy sets the policy of a group.
func (d *Double) SetPolicy(_ context.Context, group string, policy rp.Policy) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.policies[group] = policy
	return nil
}

// RevokeSessions ends the sessions of a person.
func (d *Double) RevokeSessions(ctx context.Context, p rp.Person) error { return d.SignOut(ctx, p) }

// RevokeCredentials removes passkeys of a person.
func (d *Double) RevokeCredentials(_ context.Context, p rp.Person, ids ...[]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, r := range d.records {
		same := func(other []byte) bool { return string(other) == id }
		if r.owner.Name == p.Name && (len(ids) == 0 || slices.ContainsFunc(ids, same)) {
			delete(d.records, id)
		}
	}
	return nil
}

// IssuePass issues a recovery pass in the place of the one before.
func (d *Double) IssuePass(_ context.Context, p rp.Person, lifetime time.Duration, once bool) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	who := d.people[p.Name]
	if who == nil {
		return "", refuse("unknown-person", "there is nobody of that name")
	}
	b, err := d.draw(8)
	if err != nil {
		return "", &rp.Broken{Doing: "drawing a pass", Err: err}
	}
	next := &pass{text: fmt.Sprintf("%x", b), expires: d.now().Add(lifetime), once: once}
	if !d.lacks("recovery.replaced") {
		who.passes = nil
	}
	who.passes = append(who.passes, next)
	return next.text, nil
}

// RedeemPass signs in with a recovery pass.
func (d *Double) RedeemPass(_ context.Context, p rp.Person, text string) (rp.Session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	who := d.people[p.Name]
	if who == nil {
		return rp.Session{}, refuse("pass-wrong", "this pass is not good")
	}
	one := d.pass(who, text)
	switch {
	case one == nil && d.lacks("recovery.wrong"):
	case one == nil:
		return rp.Session{}, refuse("pass-wrong", "this pass is not good")
	case one.once && one.used && !d.lacks("recovery.once"):
		return rp.Session{}, refuse("pass-used", "this pass has been used")
	case !d.now().Before(one.expires) && !d.lacks("recovery.expires"):
		return rp.Session{}, refuse("pass-expired", "this pass has expired")
	default:
		one.used = true
	}
	d.sessions[who.Name] = who.Name
	return rp.Session{Person: who.Name, Method: "pass"}, nil
}

// pass finds a pass of a person.
func (d *Double) pass(who *person, text string) *pass {
	owners := []*person{who}
	if d.lacks("recovery.person") {
		for _, other := range d.people {
			owners = append(owners, other)
		}
	}
	for _, owner := range owners {
		for _, one := range owner.passes {
			if one.text == text {
				return one
			}
		}
	}
	return nil
}
