package reference

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
)

// credential is a credential record (WebAuthn Level 3, section 4) with what this
// relying party adds. Core.mu guards it; id, owner, algorithm, created and
// trusted never change.
type credential struct {
	owner     *person
	record    lib.Credential
	aaguid    ctap.AAGUID
	algorithm cose.Algorithm
	name      string
	trusted   bool
	created   time.Time
	lastUsed  time.Time // zero until the first sign-in
}

// Credentials lists the passkeys of whoever holds the session, oldest first.
func (c *Core) Credentials(token string) ([]rp.Credential, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, err := c.full(token)
	if err != nil {
		return nil, err
	}
	return s.owner.listing(), nil
}

// RenameCredential gives an own passkey another name.
func (c *Core) RenameCredential(token string, id []byte, name string) error {
	if err := checkText("name", name, 64); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.full(token)
	if err != nil {
		return err
	}
	cr, err := c.owned(s.owner, id)
	if err != nil {
		return err
	}
	cr.name = name
	c.note(Event{Action: "rename-credential", Person: s.owner.name, Credential: id, Outcome: Done, Detail: name})
	return nil
}

// DeleteCredential removes an own passkey and ends the sessions that came from it.
func (c *Core) DeleteCredential(token string, id []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.full(token)
	if err != nil {
		return err
	}
	cr, err := c.owned(s.owner, id)
	if err != nil {
		return err
	}
	c.remove(cr)
	c.note(Event{Action: "delete-credential", Person: s.owner.name, Credential: id, Outcome: Done})
	return nil
}

// RevokeCredentials removes passkeys of a person, those with these ids or all when
// there are none, and ends the sessions that came from them. It removes all of the
// ids or, when one is not the person's, none.
func (c *Core) RevokeCredentials(name string, ids ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(name)
	if err != nil {
		return err
	}
	doomed := slices.Clone(p.credentials)
	if len(ids) > 0 {
		doomed = nil
	}
	for _, id := range ids {
		cr, err := c.owned(p, id)
		if err != nil {
			return err
		}
		doomed = append(doomed, cr)
	}
	for _, cr := range doomed {
		c.remove(cr)
		c.note(Event{Action: "revoke-credential", Person: p.name, Credential: cr.record.ID, Outcome: Done})
	}
	return nil
}

func (c *Core) owned(p *person, id []byte) (*credential, error) {
	cr := c.credentials[string(id)]
	if cr == nil || cr.owner != p {
		return nil, refuse(UnknownCredential, "%s has no such passkey", p.name)
	}
	return cr, nil
}

func (c *Core) remove(cr *credential) {
	delete(c.credentials, string(cr.record.ID))
	p := cr.owner
	p.credentials = slices.DeleteFunc(p.credentials, func(o *credential) bool { return o == cr })
	c.endOf(p, cr.record.ID)
}

// listing describes the passkeys of a person; the caller holds the lock.
func (p *person) listing() []rp.Credential {
	list := []rp.Credential{}
	for _, cr := range p.credentials {
		list = append(list, cr.describe())
	}
	return list
}

func (cr *credential) describe() rp.Credential {
	r := &cr.record
	return rp.Credential{
		ID: bytes.Clone(r.ID), Name: cr.name, AAGUID: cr.aaguid.String(), Algorithm: cr.algorithm.String(),
		Attestation: r.AttestationFormat, Trusted: cr.trusted,
		Type: passkeyType(r.Flags.BackupEligible), BackupEligible: r.Flags.BackupEligible,
		BackedUp: r.Flags.BackupState, SignCount: r.Authenticator.SignCount,
		CreatedAt: cr.created, LastUsedAt: cr.lastUsed,
	}
}

// firstName names a new passkey after its provider; the caller holds the lock.
func (c *Core) firstName(p *person, a ctap.AAGUID) string {
	base := c.ProviderName(a.String())
	if base == "" {
		base = "Passkey"
	}
	name := base
	for n := 2; slices.ContainsFunc(p.credentials, func(cr *credential) bool { return cr.name == name }); n++ {
		name = fmt.Sprintf("%s %d", base, n)
	}
	return name
}
