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

// SignOut ends the session that a person has here.
func (p *Party) SignOut(ctx context.Context, who rp.Person) error {
	if !p.isSignedIn(who.Name) {
		return nil
	}
	_, err := p.perform(ctx, "sign-out", "signing out", who, nil)
	if unsupported := (*rp.Unsupported)(nil); errors.As(err, &unsupported) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.people, fold(who.Name))
	return err
}

// SignedIn tells whether a person's session stands: a refusal says that it does not.
func (p *Party) SignedIn(ctx context.Context, who rp.Person) (bool, error) {
	if !p.isSignedIn(who.Name) {
		return false, nil
	}
	_, err := p.perform(ctx, "signed-in", "telling whether somebody is signed in", who, nil)
	if no := (*rp.Refused)(nil); errors.As(err, &no) {
		return false, nil
	}
	return err == nil, err
}

// Credentials lists the passkeys of a person, who is signed in.
func (p *Party) Credentials(ctx context.Context, who rp.Person) ([]rp.Credential, error) {
	return p.list(ctx, "credentials", who)
}

// RenameCredential renames a passkey of a person, who is signed in.
func (p *Party) RenameCredential(ctx context.Context, who rp.Person, id []byte, name string) error {
	_, err := p.perform(ctx, "rename", "renaming passkeys", who, map[string]any{"id": idText(id), "name": name})
	return err
}

// DeleteCredential deletes a passkey of a person, who is signed in.
func (p *Party) DeleteCredential(ctx context.Context, who rp.Person, id []byte) error {
	_, err := p.perform(ctx, "delete", "deleting passkeys", who, map[string]any{"id": idText(id)})
	return err
}

// AddPerson makes an account.
func (p *Party) AddPerson(ctx context.Context, who rp.Person) error {
	_, err := p.perform(ctx, "add-person", "making accounts", who, nil)
	return err
}

// IssuePass brings about a secret to come back in with.
func (p *Party) IssuePass(ctx context.Context, who rp.Person, lifetime time.Duration, once bool) (string, error) {
	if s := p.d.sections["issue-pass"]; s != nil {
		switch {
		case s.once == "always" && !once:
			return "", &rp.Unsupported{What: "passes that are good for more than one use"}
		case s.once == "never" && once:
			return "", &rp.Unsupported{What: "passes that are good for one use only"}
		}
	}
	p.mu.Lock()
	delete(p.devices, fold(who.Name)) // whoever asks for a pass does so on a new device
	p.mu.Unlock()
	r, err := p.perform(ctx, "issue-pass", "passes", who, map[string]any{
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
	p.secrets.add(pass)
	return pass, nil
}

// RevokeSessions ends all sessions of a person everywhere.
func (p *Party) RevokeSessions(ctx context.Context, who rp.Person) error {
	_, err := p.perform(ctx, "revoke-sessions", "ending sessions", who, nil)
	return err
}

// RevokeCredentials removes passkeys of a person: those with these ids, or all.
func (p *Party) RevokeCredentials(ctx context.Context, who rp.Person, ids ...[]byte) error {
	list := []any{}
	for _, id := range ids {
		list = append(list, idText(id))
	}
	_, err := p.perform(ctx, "revoke-credentials", "removing somebody's passkeys", who, map[string]any{"ids": list})
	return err
}

// SetPolicy sets the passkey policy of a group.
func (p *Party) SetPolicy(ctx context.Context, group string, policy rp.Policy) error {
	b, err := json.Marshal(policy)
	if err != nil {
		return err
	}
	v, err := decodeJSON(b)
	if err != nil {
		return err
	}
	_, err = p.perform(ctx, "policy", "policies", rp.Person{}, map[string]any{"group": group, "policy": v})
	return err
}

// PersonCredentials lists the passkeys of a person, who need not be signed in.
func (p *Party) PersonCredentials(ctx context.Context, who rp.Person) ([]rp.Credential, error) {
	return p.list(ctx, "person-credentials", who)
}

// RedeemPass lets somebody back in, on a new device.
func (p *Party) RedeemPass(ctx context.Context, who rp.Person, pass string) (rp.Session, error) {
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
