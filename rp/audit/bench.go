package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"fido-emu/attestation"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/rp"
)

// bench is where the attacks of one audit are made.
type bench struct {
	ctx     context.Context
	site    rp.RelyingParty
	options Options
	keys    *softkeys.Keys

	accounts map[string]*account // by what they are for
	order    []*account          // as they were made
	policies []string            // groups whose policy was set
	genuine  map[string]error    // by attestation format: whether an honest one is taken
	garbled  map[string]finding  // by attestation format: what came of one that is not of the ceremony
	lacks    map[string]bool     // what the adapter turned out not to support: list, delete, session
	added    [][]byte            // ids of what the last registration added to a list
	attests  bool                // no passkey is taken without attestation
	trust    *bool               // whether attestation by an unknown authority is refused; nil when not tried
	nameless *error              // of an honest sign-in without a name; nil when not tried

	origin, rpID string
}

// account is a test user with a client.
type account struct {
	person rp.Person
	client *forger
	spoilt bool // honest ceremonies do not work any more
}

// call does one thing at the relying party, in time.
func (b *bench) call(f func(context.Context) error) error {
	if b.options.Pause != nil {
		if err := b.options.Pause(b.ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(b.ctx, b.options.Timeout)
	defer cancel()
	err := f(ctx)
	if ctx.Err() != nil && b.ctx.Err() == nil {
		return &rp.Broken{Doing: "waiting for an answer", Err: fmt.Errorf("none came within %s: %w", b.options.Timeout, ctx.Err())}
	}
	return err
}

// newForger returns a client without passkeys, which attests where none is taken without.
func (b *bench) newForger() *forger {
	c := &forger{rand: b.options.Rand, keys: b.keys, aaguid: aaguid()}
	if b.attests {
		c.attest = b.attestation(attestation.FormatPacked)
	}
	return c
}

// account returns the test user for a purpose, with a passkey and a session.
func (b *bench) account(purpose string, groups ...string) (*account, error) {
	if b.options.Single && purpose != "victim" {
		if purpose != "attacker" {
			return nil, errors.New("the relying party has one account only")
		}
		purpose = "victim"
	}
	if a := b.accounts[purpose]; a != nil && !a.spoilt {
		return a, nil
	}
	a := b.person(purpose, groups...)
	if err := b.open(a); err != nil {
		return nil, err
	}
	if len(groups) > 0 {
		a.client.attest = b.attestation("packed")
	}
	if err := b.enrol(a); err != nil {
		return nil, fmt.Errorf("honest registration of %s: %w", a.person.Name, err)
	}
	b.accounts[purpose] = a
	b.order = append(b.order, a)
	return a, nil
}

// enrol registers the first passkey of an account: with attestation, where the relying
// party asks for it and does not do without.
func (b *bench) enrol(a *account) error {
	_, err := b.register(a, bend{})
	asked := a.client.last
	if !isRefused(err) || a.client.attest != nil || asked == nil || asked.asked.Attestation == "" || asked.asked.Attestation == "none" {
		return err
	}
	b.attests = true
	a.client = b.newForger()
	_, err = b.register(a, bend{})
	return err
}

// open has an account opened, where people do not do so themselves.
func (b *bench) open(a *account) error {
	if b.options.Account == nil {
		return nil
	}
	if err := b.call(func(ctx context.Context) error { return b.options.Account(ctx, a.person) }); err != nil {
		return fmt.Errorf("an account for %s: %w", a.person.Name, err)
	}
	return nil
}

// person returns a test user who has no account yet.
func (b *bench) person(purpose string, groups ...string) *account {
	name := b.options.Name(purpose, len(b.order)+1)
	return &account{person: rp.Person{Name: name, DisplayName: "Test user of an audit", Groups: groups}, client: b.newForger()}
}

// register registers a passkey of an account, bent.
func (b *bench) register(a *account, how bend) (cr rp.Credential, err error) {
	a.client.bend, a.client.reached, a.client.last = how, false, nil
	err = b.call(func(ctx context.Context) (err error) {
		cr, err = b.registerAt(ctx, a, how)
		return err
	})
	a.client.bend = bend{}
	return cr, err
}

// signIn signs an account in by name, or, as the zero Person, without one.
func (b *bench) signIn(p rp.Person, c *forger, how bend) (s rp.Session, err error) {
	c.bend, c.reached, c.last = how, false, nil
	err = b.call(func(ctx context.Context) (err error) {
		s, err = b.signInAt(ctx, p, c, how)
		return err
	})
	c.bend = bend{}
	return s, err
}

// signOut ends the session of an account, where the adapter can.
func (b *bench) signOut(p rp.Person) error {
	m, ok := b.site.(rp.SessionManager)
	if !ok {
		return nil
	}
	err := b.call(func(ctx context.Context) error { return m.SignOut(ctx, p) })
	if unsupported(err) {
		return nil
	}
	return err
}

// sessions returns the adapter's way to end sessions and to look whether they stand.
func (b *bench) sessions() (rp.SessionManager, bool) {
	m, ok := b.site.(rp.SessionManager)
	return m, ok && !b.lacks["session"]
}

// manager returns the adapter's way to list passkeys.
func (b *bench) manager() (rp.CredentialManager, bool) {
	m, ok := b.site.(rp.CredentialManager)
	return m, ok && !b.lacks["list"]
}

// probe finds out what the adapter has methods for and does not support, with an
// account that is signed in.
func (b *bench) probe(a *account) {
	if m, ok := b.manager(); ok {
		err := b.call(func(ctx context.Context) error {
			_, err := m.Credentials(ctx, a.person)
			return err
		})
		b.lacks["list"] = unsupported(err)
	}
	if m, ok := b.sessions(); ok {
		err := b.call(func(ctx context.Context) error {
			_, err := m.SignedIn(ctx, a.person)
			return err
		})
		b.lacks["session"] = unsupported(err)
	}
}

// signedIn tells whether a person has a session, proved by a call that only works
// with one. known is false where the adapter has no such call.
func (b *bench) signedIn(p rp.Person) (in, known bool, err error) {
	if m, ok := b.sessions(); ok {
		err = b.call(func(ctx context.Context) (err error) {
			in, err = m.SignedIn(ctx, p)
			return err
		})
		return in, true, err
	}
	if m, ok := b.manager(); ok {
		err = b.call(func(ctx context.Context) error {
			_, err := m.Credentials(ctx, p)
			return err
		})
		if isRefused(err) {
			return false, true, nil
		}
		return err == nil, true, err
	}
	return false, false, nil
}

// list returns the ids of the passkeys of an account, who is signed in. known is
// false where the adapter cannot tell.
func (b *bench) list(a *account) (ids [][]byte, known bool) {
	m, ok := b.manager()
	if !ok {
		return nil, false
	}
	var all []rp.Credential
	err := b.call(func(ctx context.Context) (err error) {
		all, err = m.Credentials(ctx, a.person)
		return err
	})
	for _, cr := range all {
		ids = append(ids, cr.ID)
	}
	return ids, err == nil
}

// remove deletes a passkey of an account, where the adapter can.
func (b *bench) remove(a *account, id []byte) bool {
	m, ok := b.deleter()
	if !ok {
		return false
	}
	err := b.call(func(ctx context.Context) error { return m.DeleteCredential(ctx, a.person, id) })
	b.lacks["delete"] = b.lacks["delete"] || unsupported(err)
	return err == nil
}

// takeOut deletes what an attack added, which may be out of reach where an honest
// passkey is not: whether the adapter can delete is not learnt from it.
func (b *bench) takeOut(a *account, id []byte) bool {
	lacks := b.lacks["delete"]
	gone := b.remove(a, id)
	b.lacks["delete"] = lacks
	return gone
}

// deleter returns the adapter's way to delete passkeys.
func (b *bench) deleter() (rp.CredentialManager, bool) {
	m, ok := b.manager()
	return m, ok && !b.lacks["delete"]
}

// control takes the honest ceremonies: a registration and a sign-in that is proved.
func (b *bench) control() error {
	a, err := b.account("victim")
	if err != nil {
		return err
	}
	if b.origin == "" && a.client.last != nil {
		b.origin, b.rpID = a.client.last.origin, a.client.last.asked.RPID
		b.probe(a)
	}
	if _, err := b.account("attacker"); err != nil {
		return err
	}
	return b.honestSignIn(a)
}

// honestSignIn signs an account in and proves it. The session goes on.
func (b *bench) honestSignIn(a *account) error {
	if err := b.signOut(a.person); err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	if _, err := b.signIn(a.person, a.client, bend{}); err != nil {
		return fmt.Errorf("honest sign-in of %s: %w", a.person.Name, err)
	}
	if a.client.last == nil {
		return fmt.Errorf("honest sign-in of %s: the answer is yes, and nothing was asked", a.person.Name)
	}
	in, known, err := b.signedIn(a.person)
	if err == nil && known && !in {
		err = errors.New("there is no session after it")
	}
	if err != nil {
		return fmt.Errorf("honest sign-in of %s: %w", a.person.Name, err)
	}
	return nil
}

// honestRegistration adds a passkey to an account and takes it back; where that
// cannot be, it signs in instead, so that no passkeys pile up.
func (b *bench) honestRegistration(a *account) error {
	if _, ok := b.deleter(); !ok {
		return b.honestSignIn(a)
	}
	if _, err := b.register(a, bend{}); err != nil {
		return fmt.Errorf("honest registration of %s: %w", a.person.Name, err)
	}
	if a.client.last == nil || a.client.last.passkey == nil {
		return fmt.Errorf("honest registration of %s: the answer is yes, and nothing was asked", a.person.Name)
	}
	made := a.client.last.passkey
	a.client.forget(made)
	if !b.remove(a, made.id) && !b.lacks["delete"] {
		return fmt.Errorf("honest registration of %s: the passkey cannot be deleted again", a.person.Name)
	}
	return nil
}

// clean takes back what the audit made, as far as the adapter can, and lists the
// rest.
func (b *bench) clean() (deleted int, left []string) {
	left = []string{}
	for _, a := range b.order {
		b.signIn(a.person, a.client, bend{}) //nolint:errcheck // where it fails, nothing can be listed below
		ids, known := b.list(a)
		kept := 0
		for _, id := range ids {
			if b.takeOut(a, id) {
				deleted++
			} else {
				kept++
			}
		}
		switch {
		case !known:
			left = append(left, fmt.Sprintf("account %s with its passkeys", a.person.Name))
		case kept > 0:
			left = append(left, fmt.Sprintf("account %s with %d passkeys", a.person.Name, kept))
		default:
			left = append(left, fmt.Sprintf("account %s, without passkeys", a.person.Name))
		}
	}
	for _, group := range b.policies {
		left = append(left, fmt.Sprintf("policy of group %s", group))
	}
	return deleted, left
}

func isRefused(err error) bool {
	var no *rp.Refused
	return errors.As(err, &no)
}

func unsupported(err error) bool {
	var none *rp.Unsupported
	return errors.As(err, &none)
}

func contains(ids [][]byte, id []byte) bool {
	for _, one := range ids {
		if bytes.Equal(one, id) {
			return true
		}
	}
	return false
}
