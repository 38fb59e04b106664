package browser

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"fido-emu/rp"
	"fido-emu/rp/web"
	"fido-emu/webauthn"
)

// Register adds a passkey to the account of who.
func (s *site) Register(ctx context.Context, who rp.Person, client webauthn.Client) (rp.Credential, error) {
	r, err := s.begin("register", "registering passkeys", who, nil)
	if err != nil {
		return rp.Credential{}, err
	}
	tab, err := s.tabOf(ctx, who.Name)
	if err != nil {
		return rp.Credential{}, err
	}
	s.mu.Lock()
	inside := s.inside[tab]
	r.tab, r.vars["signed-in"] = tab, inside
	s.mu.Unlock()
	if len(who.Groups) > 0 && !inside && s.d.Has("expect-person") {
		if err := s.party.ExpectPerson(ctx, who); err != nil {
			return rp.Credential{}, err
		}
	}
	if err := s.goTo(tab, client); err != nil {
		return rp.Credential{}, err
	}
	tab.Use(client)
	err = r.take(ctx)
	ended := tab.Ended()
	tab.Use(nil)
	if err != nil {
		return rp.Credential{}, err
	}
	c, err := r.made(ended)
	if err != nil {
		return c, err
	}
	return c, s.keep(who.Name, tab, true)
}

// made describes the passkey that was made.
func (r *run) made(ended []Ended) (c rp.Credential, err error) {
	i := slices.IndexFunc(ended, func(e Ended) bool { return e.Type == webauthn.TypeCreate && e.Err == nil })
	switch {
	case i >= 0:
		c, err = web.Registered(ended[i].Response)
	case r.site.shimmed():
		err = errors.New("its steps were done, and the page asked for no passkey to be made")
	}
	if err != nil {
		return c, &rp.Broken{Doing: "register", Err: err}
	}
	for _, v := range r.section.values {
		text, err := web.Text(v.text, r.lookup, plainText)
		if err != nil {
			return c, err
		}
		if text == "" {
			continue // the page did not say
		}
		if err := web.Assign(&c, v.name, text); err != nil {
			return c, &rp.Broken{Doing: "register", Err: fmt.Errorf("%s of the passkey: %w", v.name, err)}
		}
	}
	if len(c.ID) == 0 {
		return c, &rp.Broken{Doing: "register", Err: errors.New("without the shim the pages have to tell the passkey's ID: add credential: {id: …}")}
	}
	return c, nil
}

// SignIn signs who in, in a browser without cookies, or whomever the authenticator
// names.
func (s *site) SignIn(ctx context.Context, who rp.Person, client webauthn.Client) (rp.Session, error) {
	if who.Name == "" && !s.Capabilities().Usernameless {
		return rp.Session{}, &rp.Unsupported{What: "signing in without a user name"}
	}
	return s.enter(ctx, "sign-in", "signing in", who, client, nil)
}

// RedeemPass lets somebody back in, in a browser without cookies.
func (s *site) RedeemPass(ctx context.Context, who rp.Person, pass string) (rp.Session, error) {
	return s.enter(ctx, "recover", "account recovery", who, nil, map[string]any{"pass": pass})
}

// enter goes through a section that opens a session, in a new tab, which becomes that of
// whoever is signed in.
func (s *site) enter(ctx context.Context, section, what string, who rp.Person, client webauthn.Client, given map[string]any) (rp.Session, error) {
	r, err := s.begin(section, what, who, given)
	if err != nil {
		return rp.Session{}, err
	}
	if r.tab, err = s.newTab(ctx); err != nil {
		return rp.Session{}, err
	}
	if err := s.goTo(r.tab, client); err != nil {
		return rp.Session{}, errors.Join(err, r.tab.Close())
	}
	r.tab.Use(client)
	err = r.take(ctx)
	var session rp.Session
	if err == nil {
		session, err = r.session(ctx, r.tab.Ended())
	}
	r.tab.Use(nil)
	if err != nil {
		return session, errors.Join(err, r.tab.Close())
	}
	return session, s.keep(session.Person, r.tab, true)
}

// session reads what the pages say of a session.
func (r *run) session(ctx context.Context, ended []Ended) (rp.Session, error) {
	s := rp.Session{Person: r.who.Name, Method: "passkey"}
	if r.section.name == "recover" {
		s.Method = "recovery"
	}
	for _, e := range ended {
		if e.Type == webauthn.TypeGet && e.Err == nil {
			var used struct {
				RawID string `json:"rawId"`
			}
			if err := json.Unmarshal(e.Response, &used); err == nil {
				s.Credential, _ = base64.RawURLEncoding.DecodeString(used.RawID) // what is no ID is the site's to refuse
			}
		}
	}
	for _, v := range r.section.values {
		text, err := web.Text(v.text, r.lookup, plainText)
		if err != nil {
			return s, err
		}
		switch v.name {
		case "person":
			s.Person = text
		case "method":
			s.Method = text
		}
	}
	var err error
	s.Warnings, err = r.warnings(ctx)
	return s, err
}

// warnings reads what the page says of the sign-in that is worth noticing.
func (r *run) warnings(ctx context.Context) (texts []string, err error) {
	if r.section.warnings == "" {
		return nil, nil
	}
	css, err := json.Marshal(r.section.warnings)
	if err != nil {
		return nil, err
	}
	c, cancel := r.tab.within(ctx)
	defer cancel()
	got, err := r.tab.evaluate(c, "[...document.querySelectorAll("+string(css)+")].map((e) => e.innerText.trim())")
	if err == nil {
		err = json.Unmarshal([]byte(got), &texts)
	}
	if err != nil {
		return nil, &rp.Broken{Doing: r.section.name, Err: fmt.Errorf("%s: warnings: %w", r.section.at, err)}
	}
	return texts, nil
}

// SignOut ends the session that a person has here.
func (s *site) SignOut(ctx context.Context, who rp.Person) error {
	s.mu.Lock()
	tab := s.people[fold(who.Name)]
	inside := s.inside[tab]
	s.mu.Unlock()
	if !inside {
		return nil
	}
	if _, err := s.perform(ctx, "sign-out", "signing out", who, nil); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.people, fold(who.Name))
	s.mu.Unlock()
	return s.drop(tab)
}

// SignedIn tells whether the person's session stands, by what the page shows.
func (s *site) SignedIn(ctx context.Context, who rp.Person) (bool, error) {
	s.mu.Lock()
	inside := s.inside[s.people[fold(who.Name)]]
	s.mu.Unlock()
	if !inside {
		return false, nil
	}
	r, err := s.perform(ctx, "signed-in", "telling whether somebody is signed in", who, nil)
	if err != nil {
		return false, err
	}
	return r.shows(ctx)
}

// shows waits for one of two things on the page and tells whether it is the first.
func (r *run) shows(ctx context.Context) (is bool, err error) {
	inTime, cancel := context.WithTimeoutCause(ctx, r.site.d.within, fmt.Errorf("neither was there within %s", r.site.d.within))
	defer cancel()
	err = r.tab.until(inTime, func(c context.Context) (bool, error) {
		for _, p := range []*place{r.section.yes, r.section.no} {
			e, err := r.find(c, p, false)
			if e != nil || err != nil {
				is = p == r.section.yes
				return e != nil, err
			}
		}
		return false, nil
	})
	if err != nil && ctx.Err() == nil {
		err = &rp.Broken{Doing: r.section.name, Err: fmt.Errorf("%s: shows %s, or else %s: %w; %s", r.section.at, r.section.yes, r.section.no, err, r.tab.said(ctx))}
	}
	return is, err
}

// Credentials lists the passkeys of a person, who is signed in.
func (s *site) Credentials(ctx context.Context, who rp.Person) ([]rp.Credential, error) {
	r, err := s.perform(ctx, "credentials", "listing passkeys", who, nil)
	if err != nil {
		return nil, err
	}
	return r.list(ctx)
}

// RenameCredential renames a passkey of a person, who is signed in.
func (s *site) RenameCredential(ctx context.Context, who rp.Person, id []byte, name string) error {
	_, err := s.perform(ctx, "rename", "renaming passkeys", who, map[string]any{"id": base64.RawURLEncoding.EncodeToString(id), "name": name})
	return err
}

// DeleteCredential deletes a passkey of a person, who is signed in.
func (s *site) DeleteCredential(ctx context.Context, who rp.Person, id []byte) error {
	_, err := s.perform(ctx, "delete", "deleting passkeys", who, map[string]any{"id": base64.RawURLEncoding.EncodeToString(id)})
	return err
}

// reader reads the parts of each passkey of a page, null for those that are not there.
const reader = `((each, parts) => [...document.querySelectorAll(each)].map((e) => parts.map((p) => {
  const at = p.css ? e.querySelector(p.css) : e;
  return at && (p.attribute ? at.getAttribute(p.attribute) : (at.innerText ?? "").trim());
})))`

// list reads the passkeys that the page shows.
func (r *run) list(ctx context.Context) ([]rp.Credential, error) {
	type wanted struct {
		CSS       string `json:"css"`
		Attribute string `json:"attribute"`
	}
	var parts []wanted
	for _, p := range r.section.record {
		parts = append(parts, wanted{p.css, p.attribute})
	}
	arguments, err := json.Marshal([]any{r.section.each, parts})
	if err != nil {
		return nil, err
	}
	c, cancel := r.tab.within(ctx)
	defer cancel()
	text, err := r.tab.evaluate(c, reader+"(..."+string(arguments)+")")
	var rows [][]*string
	if err == nil {
		err = json.Unmarshal([]byte(text), &rows)
	}
	all := []rp.Credential{}
	for _, row := range rows {
		c, wrong := r.section.credential(row)
		err = errors.Join(err, wrong)
		all = append(all, c)
	}
	if err != nil {
		return nil, &rp.Broken{Doing: "credentials", Err: fmt.Errorf("%s: %w", r.section.at, err)}
	}
	return all, nil
}

// credential reads a passkey from what the page says of it. Where a pattern has no
// group, whether it fits is what counts.
func (s *section) credential(row []*string) (c rp.Credential, err error) {
	for i, p := range s.record {
		text, there := "", i < len(row) && row[i] != nil
		if there {
			text = *row[i]
		}
		if p.pattern != nil {
			m := p.pattern.FindStringSubmatch(text)
			switch {
			case p.pattern.NumSubexp() == 0:
				text, there = strconv.FormatBool(m != nil), true
			case m == nil:
				there = false
			default:
				text = m[1]
			}
		}
		if !there {
			continue
		}
		if err := web.Assign(&c, p.name, text); err != nil {
			return c, fmt.Errorf("%s of the passkey: %w", p.name, err)
		}
	}
	return c, nil
}
