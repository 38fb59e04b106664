package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"fido-emu/attestation"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/scenarios/language"
)

// Site is the relying party of a scenario.
type Site struct {
	rp.RelyingParty
	Origin string

	domain    string          // RP ID that the scenario gives, where the site has another; empty otherwise
	distrusts bool            // it does not trust the attestation of emulated keys
	beside    any             // what the relying party can do beyond its description; nil for nothing
	core      *reference.Core // nil unless it is the reference relying party in this process
}

// Missing is what a scenario needs and this run has not: it is skipped.
type Missing struct{ Reason string }

// Error returns the reason.
func (m *Missing) Error() string { return m.Reason }

// openSite makes the relying party, with its policies, and with accounts for its
// people where they may not make them themselves.
func (w *World) openSite(ctx context.Context) error {
	s := w.Scenario.Site
	authority, err := attestation.NewAuthority("Scenario Test Root", w.Random.Stream("attestation"), w.Clock.Now())
	if err != nil {
		return err
	}
	w.authority = authority
	if len(s.Metadata) > 0 {
		if err := w.publish(ctx); err != nil {
			return err
		}
	}
	if w.options.RP != nil {
		return w.openDescribed(ctx)
	}
	core, err := w.reference("")
	if err != nil {
		return err
	}
	w.Site = &Site{RelyingParty: reference.InProcess(core, s.Origin), Origin: s.Origin, core: core}
	return w.furnish(ctx, s.SignUp)
}

// furnish sets the policies of the scenario, and makes accounts for its people where
// they may not make them themselves.
func (w *World) furnish(ctx context.Context, signUp bool) error {
	for _, p := range w.Scenario.Site.Policies {
		if err := w.SetPolicy(ctx, p); err != nil {
			return fmt.Errorf("policy of %s: %w", p.Group, err)
		}
	}
	if err := w.setProfiles(ctx, w.Scenario.Site.Profiles); err != nil {
		return err
	}
	if err := w.furnishProof(ctx); err != nil {
		return err
	}
	if signUp {
		return nil
	}
	admin, err := w.Site.Administration()
	if err != nil {
		return err
	}
	for _, p := range w.people {
		if err := admin.AddPerson(ctx, p.RP); err != nil {
			return fmt.Errorf("account of %s: %w", p.Name, err)
		}
	}
	return nil
}

// SetPolicy sets the policy of a group.
func (w *World) SetPolicy(ctx context.Context, p language.GroupPolicy) error {
	admin, err := w.Site.Administration()
	if err != nil {
		return err
	}
	if w.Site.distrusts && p.RequireAttestation {
		return &Missing{"this relying party does not trust the attestation of emulated keys, which the policy of " + p.Group + " asks for"}
	}
	allowed, err := aaguids(p.AllowedModels)
	if err != nil {
		return err
	}
	blocked, err := aaguids(p.BlockedModels)
	if err != nil {
		return err
	}
	return admin.SetPolicy(ctx, p.Group, rp.Policy{
		Types: p.Types, Algorithms: p.Algorithms, RequireAttestation: p.RequireAttestation, AllowedAAGUIDs: allowed, BlockedAAGUIDs: blocked,
		UserVerification: p.UserVerification, RejectCounterRewind: p.RejectCounterRewind,
	})
}

// Administration returns what an administrator of the relying party can do.
func (s *Site) Administration() (rp.Administration, error) {
	return offer[rp.Administration](s, "administration")
}

// PassScheduler returns what issues passes that begin later.
func (s *Site) PassScheduler() (rp.PassScheduler, error) {
	return offer[rp.PassScheduler](s, "passes that begin later")
}

// Sessions returns what ends sessions.
func (s *Site) Sessions() (rp.SessionManager, error) {
	return offer[rp.SessionManager](s, "sign-out")
}

// Manager returns what lets people manage their passkeys.
func (s *Site) Manager() (rp.CredentialManager, error) {
	return offer[rp.CredentialManager](s, "managing passkeys")
}

// Recovery returns what lets people back in.
func (s *Site) Recovery() (rp.Recovery, error) {
	return offer[rp.Recovery](s, "account recovery")
}

func offer[Part any](s *Site, what string) (Part, error) {
	part, ok := s.RelyingParty.(Part)
	if !ok {
		part, ok = s.beside.(Part)
	}
	if !ok {
		return part, &Missing{"this relying party does not offer " + what}
	}
	return part, nil
}

// Passkeys lists the passkeys of a person: as the relying party's administrator
// sees them where that can be seen, otherwise as the person does who is signed in.
func (s *Site) Passkeys(ctx context.Context, p *Person) ([]rp.Credential, error) {
	if d, ok := s.RelyingParty.(rp.Directory); ok && s.core == nil {
		all, err := d.PersonCredentials(ctx, p.RP)
		if no, refused := errors.AsType[*rp.Refused](err); refused && no.Status == http.StatusNotFound {
			return nil, nil // nobody, who has no passkeys
		}
		if _, lacks := errors.AsType[*rp.Unsupported](err); !lacks {
			return all, err
		}
	}
	if s.core == nil {
		m, err := s.Manager()
		if err != nil {
			return nil, err
		}
		return m.Credentials(ctx, p.RP)
	}
	accounts, _ := s.core.People(0, 1<<20)
	for _, a := range accounts {
		if a.Name == p.RP.Name {
			return a.Credentials, nil
		}
	}
	return nil, nil
}

// Passkey returns one passkey of a person as the relying party has it now, nil
// when it is gone.
func (s *Site) Passkey(ctx context.Context, p *Person, id []byte) (*rp.Credential, error) {
	all, err := s.Passkeys(ctx, p)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(c rp.Credential) bool { return bytes.Equal(c.ID, id) })
	if i < 0 {
		return nil, nil
	}
	return &all[i], nil
}
