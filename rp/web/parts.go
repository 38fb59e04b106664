package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"fido-emu/rp"
)

// The optional parts of a site. Each is a type of its own, so that a site can be put
// together that has those interfaces for which there are sections, and no others.
type (
	sessionPart   struct{ p *Party }
	managerPart   struct{ p *Party }
	adminPart     struct{ p *Party }
	directoryPart struct{ p *Party }
	recoveryPart  struct{ p *Party }
)

var (
	_ rp.SessionManager    = sessionPart{}
	_ rp.CredentialManager = managerPart{}
	_ rp.Administration    = adminPart{}
	_ rp.Directory         = directoryPart{}
	_ rp.Recovery          = recoveryPart{}
)

// SignOut ends the session that a person has here.
func (s sessionPart) SignOut(ctx context.Context, who rp.Person) error {
	if !s.p.isSignedIn(who.Name) {
		return nil
	}
	_, err := s.p.perform(ctx, "sign-out", "signing out", who, nil)
	if unsupported := (*rp.Unsupported)(nil); errors.As(err, &unsupported) {
		return err
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	delete(s.p.people, fold(who.Name))
	return err
}

// SignedIn tells whether a person's session stands: a refusal says that it does not.
func (s sessionPart) SignedIn(ctx context.Context, who rp.Person) (bool, error) {
	if !s.p.isSignedIn(who.Name) {
		return false, nil
	}
	_, err := s.p.perform(ctx, "signed-in", "telling whether somebody is signed in", who, nil)
	if no := (*rp.Refused)(nil); errors.As(err, &no) {
		return false, nil
	}
	return err == nil, err
}

// Credentials lists the passkeys of a person, who is signed in.
func (m managerPart) Credentials(ctx context.Context, who rp.Person) ([]rp.Credential, error) {
	return m.p.list(ctx, "credentials", who)
}

// RenameCredential renames a passkey of a person, who is signed in.
func (m managerPart) RenameCredential(ctx context.Context, who rp.Person, id []byte, name string) error {
	_, err := m.p.perform(ctx, "rename", "renaming passkeys", who, map[string]any{"id": idText(id), "name": name})
	return err
}

// DeleteCredential deletes a passkey of a person, who is signed in.
func (m managerPart) DeleteCredential(ctx context.Context, who rp.Person, id []byte) error {
	_, err := m.p.perform(ctx, "delete", "deleting passkeys", who, map[string]any{"id": idText(id)})
	return err
}

// AddPerson makes an account.
func (a adminPart) AddPerson(ctx context.Context, who rp.Person) error {
	_, err := a.p.perform(ctx, "add-person", "making accounts", who, nil)
	return err
}

// IssuePass brings about a secret to come back in with.
func (a adminPart) IssuePass(ctx context.Context, who rp.Person, lifetime time.Duration, once bool) (string, error) {
	if s := a.p.d.sections["issue-pass"]; s != nil {
		switch {
		case s.once == "always" && !once:
			return "", &rp.Unsupported{What: "passes that are good for more than one use"}
		case s.once == "never" && once:
			return "", &rp.Unsupported{What: "passes that are good for one use only"}
		}
	}
	a.p.mu.Lock()
	delete(a.p.devices, fold(who.Name)) // whoever asks for a pass does so on a new device
	a.p.mu.Unlock()
	r, err := a.p.perform(ctx, "issue-pass", "passes", who, map[string]any{
		"once":             once,
		"lifetime.minutes": json.Number(strconv.FormatFloat(lifetime.Minutes(), 'f', -1, 64)),
		"lifetime.seconds": json.Number(strconv.FormatFloat(lifetime.Seconds(), 'f', -1, 64)),
	})
	if err != nil {
		return "", err
	}
	pass, err := r.section.pass.text(r.lookup)
	if err == nil && pass == "" {
		err = errors.New("the pass is empty")
	}
	if err != nil {
		return "", broken("issue-pass", err)
	}
	a.p.secrets.add(pass)
	return pass, nil
}

// RevokeSessions ends all sessions of a person everywhere.
func (a adminPart) RevokeSessions(ctx context.Context, who rp.Person) error {
	_, err := a.p.perform(ctx, "revoke-sessions", "ending sessions", who, nil)
	return err
}

// RevokeCredentials removes passkeys of a person: those with these ids, or all.
func (a adminPart) RevokeCredentials(ctx context.Context, who rp.Person, ids ...[]byte) error {
	list := []any{}
	for _, id := range ids {
		list = append(list, idText(id))
	}
	_, err := a.p.perform(ctx, "revoke-credentials", "removing somebody's passkeys", who, map[string]any{"ids": list})
	return err
}

// SetPolicy sets the passkey policy of a group.
func (a adminPart) SetPolicy(ctx context.Context, group string, policy rp.Policy) error {
	b, err := json.Marshal(policy)
	if err != nil {
		return err
	}
	v, err := decodeJSON(b)
	if err != nil {
		return err
	}
	_, err = a.p.perform(ctx, "policy", "policies", rp.Person{}, map[string]any{"group": group, "policy": v})
	return err
}

// PersonCredentials lists the passkeys of a person, who need not be signed in.
func (d directoryPart) PersonCredentials(ctx context.Context, who rp.Person) ([]rp.Credential, error) {
	return d.p.list(ctx, "person-credentials", who)
}

// RedeemPass lets somebody back in, on a new device.
func (rec recoveryPart) RedeemPass(ctx context.Context, who rp.Person, pass string) (rp.Session, error) {
	p := rec.p
	r, err := p.begin("recover", "account recovery", who)
	if err != nil {
		return rp.Session{}, err
	}
	defer r.end()
	p.secrets.add(pass)
	r.given["pass"] = pass
	r.main = p.deviceOf(who.Name)
	s, err := r.welcome(ctx)
	if err == nil {
		p.mu.Lock()
		delete(p.devices, fold(who.Name))
		p.mu.Unlock()
	}
	return s, err
}

// list goes through a section that lists passkeys.
func (p *Party) list(ctx context.Context, section string, who rp.Person) ([]rp.Credential, error) {
	r, err := p.perform(ctx, section, "listing passkeys", who, nil)
	if err != nil {
		return nil, err
	}
	v, err := r.section.each.value(r.lookup)
	if err != nil {
		return nil, broken(section, err)
	}
	items, ok := v.([]any)
	if !ok && v != nil {
		return nil, broken(section, errors.New("each: what the site gave is no list"))
	}
	all := []rp.Credential{}
	for _, item := range items {
		r.given["item"] = item
		c, err := credential(rp.Credential{}, r.section.record, r.lookup)
		if err != nil {
			return nil, broken(section, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func idText(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// offers tells whether the description has one of these sections.
func (d *Description) offers(sections ...string) bool {
	for _, s := range sections {
		if d.sections[s] != nil {
			return true
		}
	}
	return false
}
