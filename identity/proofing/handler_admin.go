package proofing

import (
	"crypto/subtle"
	"errors"
	"net/http"

	"fido-emu/identity/credential"
)

// adminRoutes are for those who run tests.
func (s *Service) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("PUT /admin/{provider}/fault", s.admin(func(provider string, r *http.Request) error {
		var f Fault
		if err := read(r, maxJSON, &f); err != nil {
			return err
		}
		return s.SetFault(provider, f)
	}))
	mux.Handle("POST /admin/{provider}/revive", s.admin(func(provider string, _ *http.Request) error {
		return s.Revive(provider)
	}))
	mux.Handle("POST /admin/{provider}/revoke", s.admin(func(provider string, r *http.Request) error {
		var in struct {
			Credential string `json:"credential"`
		}
		if err := read(r, maxJSON, &in); err != nil {
			return err
		}
		return s.Revoke(provider, in.Credential)
	}))
	return mux
}

// Revoke revokes a credential of a provider's issuer for good, and keeps that.
func (s *Service) Revoke(provider, id string) error {
	issuer := s.Issuer(provider)
	if issuer == nil {
		return errNotFound("provider")
	}
	err := issuer.Revoke(id)
	if errors.Is(err, credential.ErrUnknownCredential) {
		return errNotFound("credential")
	}
	if err == nil {
		err = s.keep()
	}
	return err
}

// admin answers 204 to whoever has the administration's key.
func (s *Service) admin(f func(provider string, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := s.config.AdminKey
		if key == "" || subtle.ConstantTimeCompare([]byte(hash(bearer(r))), []byte(hash(key))) == 0 {
			fail(w, refuse(http.StatusUnauthorized, CodeUnauthorized, "the administration's key is needed"))
			return
		}
		if err := f(r.PathValue("provider"), r); err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
