package tpmsim

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// session is what the owner goroutine has loaded. A TPM has as few as three slots
// for loaded objects: one is for the storage root key, one for the attestation
// key, and one for the credential key that was used last.
type session struct {
	tpm backend
	srk *object // storage root key
	aik *object // attestation key
	key *object // credential key
}

// object is a loaded key.
type object struct {
	auth   tpm2.AuthHandle
	public tpm2.TPM2BPublic
	alg    cose.Algorithm // of an attestation key
	handle []byte         // of a credential key
}

// storageRoot returns the storage root key, made from the storage hierarchy's seed
// when it is not loaded yet: the same key until the TPM is cleared.
func (s *session) storageRoot() (*object, error) {
	if s.srk == nil {
		srk, err := s.primary(tpm2.TPMRHOwner, tpm2.ECCSRKTemplate)
		if err != nil {
			return nil, fmt.Errorf("storage root key: %w", err)
		}
		s.srk = srk
	}
	return s.srk, nil
}

// attestationKey returns the restricted signing key for alg, made from the
// endorsement hierarchy's seed: the same key as long as there is the TPM.
func (s *session) attestationKey(alg cose.Algorithm) (*object, error) {
	if s.aik != nil && s.aik.alg == alg {
		return s.aik, nil
	}
	s.flush(&s.aik)
	template, err := signingKey(alg, true)
	if err != nil {
		return nil, err
	}
	aik, err := s.primary(tpm2.TPMRHEndorsement, template)
	if err != nil {
		return nil, fmt.Errorf("attestation key: %w", err)
	}
	aik.alg = alg
	s.aik = aik
	return aik, nil
}

func (s *session) primary(hierarchy tpm2.TPMHandle, template tpm2.TPMTPublic) (*object, error) {
	r, err := tpm2.CreatePrimary{PrimaryHandle: hierarchy, InPublic: tpm2.New2B(template)}.Execute(s.tpm)
	if err != nil {
		return nil, err
	}
	return &object{auth: withoutAuth(r.ObjectHandle, r.Name), public: r.OutPublic}, nil
}

// create makes a credential key and leaves it loaded: a new credential is attested
// to and then signed with.
func (s *session) create(alg cose.Algorithm) (*object, error) {
	template, err := signingKey(alg, false)
	if err != nil {
		return nil, err
	}
	srk, err := s.storageRoot()
	if err != nil {
		return nil, err
	}
	s.flush(&s.key)
	r, err := tpm2.CreateLoaded{ParentHandle: srk.auth, InPublic: tpm2.New2BTemplate(&template)}.Execute(s.tpm)
	if err != nil {
		return nil, fmt.Errorf("TPM2_CreateLoaded: %w", err)
	}
	s.key = &object{
		auth:   withoutAuth(r.ObjectHandle, r.Name),
		public: r.OutPublic,
		handle: joinHandle(r.OutPrivate, r.OutPublic),
	}
	return s.key, nil
}

// load loads the credential key with this handle, unless it still is. The error
// wraps authenticator.ErrKeyLost when this TPM did not wrap it, or no longer has
// the key that did.
func (s *session) load(handle []byte) (*object, error) {
	if s.key != nil && bytes.Equal(s.key.handle, handle) {
		return s.key, nil
	}
	private, public, err := splitHandle(handle)
	if err != nil {
		return nil, err
	}
	srk, err := s.storageRoot()
	if err != nil {
		return nil, err
	}
	s.flush(&s.key)
	r, err := tpm2.Load{ParentHandle: srk.auth, InPrivate: private, InPublic: public}.Execute(s.tpm)
	if errors.Is(err, tpm2.TPMRCIntegrity) {
		return nil, fmt.Errorf("%w: this TPM did not wrap it, or was cleared since", authenticator.ErrKeyLost)
	}
	if err != nil {
		return nil, fmt.Errorf("TPM2_Load: %w", err)
	}
	s.key = &object{
		auth:   withoutAuth(r.ObjectHandle, r.Name),
		public: public,
		handle: bytes.Clone(handle),
	}
	return s.key, nil
}

// clear runs TPM2_Clear, which also unloads everything.
func (s *session) clear() error {
	if b, ok := s.tpm.(shared); ok {
		if err := b.mayClear(); err != nil {
			return err
		}
	}
	if _, err := (tpm2.Clear{AuthHandle: withoutAuth(tpm2.TPMRHLockout, tpm2.TPM2BName{})}).Execute(s.tpm); err != nil {
		return fmt.Errorf("TPM2_Clear: %w", err)
	}
	s.forgetAll()
	return s.tpm.save()
}

// flush unloads an object. One that the TPM has already dropped is gone too.
func (s *session) flush(o **object) {
	if *o == nil {
		return
	}
	// The slot is free afterwards or the next command says why it is not.
	_, _ = tpm2.FlushContext{FlushHandle: (*o).auth.Handle}.Execute(s.tpm)
	*o = nil
}

func (s *session) flushAll() {
	s.flush(&s.key)
	s.flush(&s.aik)
	s.flush(&s.srk)
}

// forgetAll is for when the TPM has unloaded everything by itself.
func (s *session) forgetAll() { s.key, s.aik, s.srk = nil, nil, nil }

// withoutAuth names an object whose authorisation value is empty, as those of
// everything here are.
func withoutAuth(handle tpm2.TPMHandle, name tpm2.TPM2BName) tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: handle, Name: name, Auth: tpm2.PasswordAuth(nil)}
}
