package web

import (
	"context"
	"fmt"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// Register adds a passkey to the account of who.
func (p *Party) Register(ctx context.Context, who rp.Person, client webauthn.Client) (rp.Credential, error) {
	return p.register(ctx, nil, who, client)
}

func (p *Party) register(ctx context.Context, headers map[string]string, who rp.Person, client webauthn.Client) (rp.Credential, error) {
	r, err := p.begin("register", "registering passkeys", who)
	if err != nil {
		return rp.Credential{}, err
	}
	defer r.end()
	r.client, r.headers = client, headers
	if err := r.through(ctx); err != nil {
		return rp.Credential{}, err
	}
	p.enter(who.Name, r.main)
	c, err := registered(r.response)
	if err != nil {
		return c, err
	}
	return credential(c, r.section.record, r.lookup)
}

// SignIn signs who in, in a browser without cookies, or whomever the authenticator
// names.
func (p *Party) SignIn(ctx context.Context, who rp.Person, client webauthn.Client) (rp.Session, error) {
	r, err := p.beginSignIn(who, client)
	if err != nil {
		return rp.Session{}, err
	}
	defer r.end()
	return r.welcome(ctx)
}

// beginSignIn prepares a sign-in in a browser of its own. End it.
func (p *Party) beginSignIn(who rp.Person, client webauthn.Client) (*run, error) {
	if who.Name == "" && !p.d.Capabilities.Usernameless {
		return nil, &rp.Unsupported{What: "signing in without a user name"}
	}
	r, err := p.begin("sign-in", "signing in", who)
	if err != nil {
		return nil, err
	}
	r.client = client
	r.main = p.newActor(person)
	return r, nil
}

// welcome goes through a section that opens a session, and makes its cookies those of
// whoever is signed in.
func (r *run) welcome(ctx context.Context) (rp.Session, error) {
	if err := r.through(ctx); err != nil {
		return rp.Session{}, err
	}
	return r.welcomed()
}

func (r *run) welcomed() (rp.Session, error) {
	s, err := r.session()
	if err != nil {
		return s, broken(r.section.kind.name, err)
	}
	r.party.enter(s.Person, r.main)
	return s, nil
}

// session reads what the site says of a session.
func (r *run) session() (rp.Session, error) {
	s := rp.Session{Person: r.who.Name, Method: "passkey", Credential: r.used}
	if r.section.kind.name == "recover" {
		s.Method = "recovery"
	}
	for _, b := range r.section.record {
		v, err := b.value.value(r.lookup)
		if err != nil {
			return s, fmt.Errorf("%s of the session: %w", b.name, err)
		}
		switch b.name {
		case "person":
			s.Person = textOf(v)
		case "method":
			s.Method = textOf(v)
		case "credential":
			s.Credential, err = anyBase64(textOf(v))
			if len(s.Credential) == 0 {
				s.Credential = nil
			}
		case "warnings":
			list, _ := v.([]any)
			for _, w := range list {
				s.Warnings = append(s.Warnings, textOf(w))
			}
		}
		if err != nil {
			return s, fmt.Errorf("%s of the session: %w", b.name, err)
		}
	}
	if r.section.unproved != "" {
		s.Warnings = append(s.Warnings, "not proved: "+r.section.unproved)
	}
	return s, nil
}
