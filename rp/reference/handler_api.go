package reference

import (
	"encoding/base64"
	"net/http"
	"time"

	"fido-emu/rp"
)

func (s *server) showConfig(http.ResponseWriter, *http.Request) (any, error) {
	c := s.core.config
	return configJSON{c.RPID, c.Name, c.Origins, !c.ClosedSignUp}, nil
}

func (s *server) beginRegistration(w http.ResponseWriter, r *http.Request) (any, error) {
	var p rp.Person
	if err := read(w, r, &p); err != nil {
		return nil, err
	}
	return s.core.BeginRegistration(s.token(r), p)
}

func (s *server) finishRegistration(w http.ResponseWriter, r *http.Request) (any, error) {
	var body finishJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	done, err := s.core.FinishRegistration(s.token(r), body.Ceremony, body.Credential)
	if err != nil {
		return nil, err
	}
	answer := registeredJSON{Credential: s.core.wire([]rp.Credential{done.Credential})[0]}
	if done.Grant != nil {
		session := done.Grant.wire()
		answer.Session = &session
		s.admit(w, *done.Grant)
	}
	return answer, nil
}

func (s *server) beginSignIn(w http.ResponseWriter, r *http.Request) (any, error) {
	var body nameJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	return s.core.BeginSignIn(body.Name)
}

func (s *server) finishSignIn(w http.ResponseWriter, r *http.Request) (any, error) {
	var body finishJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	g, err := s.core.FinishSignInFrom(signals(r), body.Ceremony, body.Credential)
	if err != nil {
		return nil, err
	}
	s.admit(w, g)
	return g.wire(), nil
}

func (s *server) redeemPass(w http.ResponseWriter, r *http.Request) (any, error) {
	var body redeemJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	g, err := s.core.RedeemPassFrom(signals(r), body.Name, body.Pass)
	if err != nil {
		return nil, err
	}
	s.admit(w, g)
	return g.wire(), nil
}

func (s *server) showSession(_ http.ResponseWriter, r *http.Request) (any, error) {
	g, err := s.core.Session(s.token(r))
	if err != nil {
		return nil, err
	}
	return g.wire(), nil
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) (any, error) {
	s.setCookie(w, sessionCookie, "", time.Time{})
	return nil, s.core.SignOut(s.token(r))
}

func (s *server) listCredentials(_ http.ResponseWriter, r *http.Request) (any, error) {
	list, err := s.core.Credentials(s.token(r))
	if err != nil {
		return nil, err
	}
	return credentialsJSON{s.core.wire(list)}, nil
}

func (s *server) renameCredential(w http.ResponseWriter, r *http.Request) (any, error) {
	var body nameJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	id, err := credentialID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return nil, s.core.RenameCredential(s.token(r), id, body.Name)
}

func (s *server) deleteCredential(_ http.ResponseWriter, r *http.Request) (any, error) {
	id, err := credentialID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return nil, s.core.DeleteCredential(s.token(r), id)
}

func credentialID(text string) ([]byte, error) {
	id, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(id) == 0 {
		return nil, refuse(BadRequest, "credential id %q is not base64url", text)
	}
	return id, nil
}

func (s *server) token(r *http.Request) string { return s.cookie(r, sessionCookie) }

func (s *server) admit(w http.ResponseWriter, g Grant) {
	s.setCookie(w, sessionCookie, g.Token, g.Expires)
}
