package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// user is an account; it implements webauthn.User.
type user struct {
	id          []byte
	name        string
	credentials []webauthn.Credential
}

func (u *user) WebAuthnID() []byte                         { return u.id }
func (u *user) WebAuthnName() string                       { return u.name }
func (u *user) WebAuthnDisplayName() string                { return u.name }
func (u *user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// session is what a cookie stands for.
type session struct {
	user     *user // who is signed in
	joining  *user // who registers
	ceremony *webauthn.SessionData
}

type site struct {
	webauthn *webauthn.WebAuthn
	mu       sync.Mutex // held by each request
	users    map[string]*user
	sessions map[string]*session
}

func newSite(w *webauthn.WebAuthn) *site {
	return &site{webauthn: w, users: map[string]*user{}, sessions: map[string]*session{}}
}

func (s *site) handler() http.Handler {
	m := http.NewServeMux()
	m.Handle("POST /register/begin/{user}", s.with(s.registerBegin))
	m.Handle("POST /register/finish", s.with(s.registerFinish))
	m.Handle("POST /login/begin", s.with(s.loginBegin))
	m.Handle("POST /login/begin/{user}", s.with(s.loginBegin))
	m.Handle("POST /login/finish", s.with(s.loginFinish))
	m.Handle("GET /account", s.with(s.account))
	m.Handle("DELETE /account/credentials/{id}", s.with(s.remove))
	m.Handle("POST /logout", s.with(func(_ *http.Request, own *session) (any, error) {
		own.user = nil
		return "signed out", nil
	}))
	return m
}

var (
	errSignedOut = errors.New("nobody is signed in")
	errTaken     = errors.New("this account is somebody else's")
	errUnknown   = errors.New("no such user or credential")
	errNotBegun  = errors.New("no ceremony was begun")
)

// with finds the session of a request, and answers in JSON: errors as a bare string.
func (s *site) with(do func(*http.Request, *session) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		answer, err := do(r, s.session(w, r))
		w.Header().Set("Content-Type", "application/json")
		switch {
		case errors.Is(err, errSignedOut):
			w.WriteHeader(http.StatusUnauthorized)
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		}
		if err != nil {
			answer = said(err)
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// said is what go-webauthn found wrong, with the details that it keeps apart.
func said(err error) string {
	if e := (*protocol.Error)(nil); errors.As(err, &e) && e.DevInfo != "" {
		return e.Details + ": " + e.DevInfo
	}
	return err.Error()
}

func (s *site) session(w http.ResponseWriter, r *http.Request) *session {
	if c, err := r.Cookie("session"); err == nil && s.sessions[c.Value] != nil {
		return s.sessions[c.Value]
	}
	id := rand.Text()
	s.sessions[id] = &session{}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true})
	return s.sessions[id]
}

func (s *site) registerBegin(r *http.Request, own *session) (any, error) {
	name := r.PathValue("user")
	u := s.users[name]
	switch {
	case u == nil:
		u = &user{id: []byte(rand.Text()), name: name}
	case own.user != u:
		return nil, errTaken
	}
	options, ceremony, err := s.webauthn.BeginRegistration(u,
		webauthn.WithConveyancePreference(protocol.ConveyancePreference(r.URL.Query().Get("attestation"))),
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred),
		webauthn.WithExclusions(webauthn.Credentials(u.credentials).CredentialDescriptors()))
	own.joining, own.ceremony = u, ceremony
	return options, err
}

func (s *site) registerFinish(r *http.Request, own *session) (any, error) {
	u, ceremony := own.joining, own.ceremony
	own.joining, own.ceremony = nil, nil
	if u == nil || ceremony == nil {
		return nil, errNotBegun
	}
	c, err := s.webauthn.FinishRegistration(u, *ceremony, r)
	if err != nil {
		return nil, err
	}
	if there := s.users[u.name]; there != nil && there != u || s.owner(c.ID) != nil {
		return nil, errTaken
	}
	u.credentials = append(u.credentials, *c)
	s.users[u.name], own.user = u, u
	return "registered", nil
}

func (s *site) loginBegin(r *http.Request, own *session) (any, error) {
	var options *protocol.CredentialAssertion
	var err error
	own.ceremony = nil
	if name := r.PathValue("user"); name == "" {
		options, own.ceremony, err = s.webauthn.BeginDiscoverableLogin()
	} else if u := s.users[name]; u == nil {
		return nil, errUnknown
	} else {
		options, own.ceremony, err = s.webauthn.BeginLogin(u)
	}
	return options, err
}

func (s *site) loginFinish(r *http.Request, own *session) (any, error) {
	ceremony := own.ceremony
	own.ceremony = nil
	if ceremony == nil {
		return nil, errNotBegun
	}
	var u *user
	var c *webauthn.Credential
	var err error
	if ceremony.UserID == nil {
		var found webauthn.User
		find := func(_, handle []byte) (webauthn.User, error) { return s.byHandle(handle) }
		if found, c, err = s.webauthn.FinishPasskeyLogin(find, *ceremony, r); err == nil {
			u = found.(*user)
		}
	} else if u, err = s.byHandle(ceremony.UserID); err == nil {
		c, err = s.webauthn.FinishLogin(u, *ceremony, r)
	}
	if err != nil {
		return nil, err
	}
	if c.Authenticator.CloneWarning {
		return nil, errors.New("the signature counter went back")
	}
	i := slices.IndexFunc(u.credentials, func(old webauthn.Credential) bool { return bytes.Equal(old.ID, c.ID) })
	u.credentials[i], own.user = *c, u
	return "signed in", nil
}

func (s *site) byHandle(handle []byte) (*user, error) {
	for _, u := range s.users {
		if bytes.Equal(u.id, handle) {
			return u, nil
		}
	}
	return nil, errUnknown
}

func (s *site) owner(id []byte) *user {
	for _, u := range s.users {
		if slices.ContainsFunc(u.credentials, func(c webauthn.Credential) bool { return bytes.Equal(c.ID, id) }) {
			return u
		}
	}
	return nil
}

func (s *site) account(_ *http.Request, own *session) (any, error) {
	if own.user == nil {
		return nil, errSignedOut
	}
	return map[string]any{"user": own.user.name, "credentials": own.user.credentials}, nil
}

func (s *site) remove(r *http.Request, own *session) (any, error) {
	if own.user == nil {
		return nil, errSignedOut
	}
	id, err := base64.RawURLEncoding.DecodeString(r.PathValue("id"))
	if err != nil {
		return nil, errUnknown
	}
	before := len(own.user.credentials)
	own.user.credentials = slices.DeleteFunc(own.user.credentials, func(c webauthn.Credential) bool { return bytes.Equal(c.ID, id) })
	if len(own.user.credentials) == before {
		return nil, errUnknown
	}
	return "deleted", nil
}
