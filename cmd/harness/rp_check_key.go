package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/fixtures"
	"fido-emu/webauthn"
)

// checkModel is the key that a check is done with: it verifies its user, keeps
// discoverable passkeys, and most sites take it.
const checkModel = "biometric-key"

// newChecker returns a browser with one emulated key at hand, whose user does all that
// is asked.
func newChecker(random io.Reader, now func() time.Time) (webauthn.Client, error) {
	models, err := fixtures.Profiles()
	if err != nil {
		return nil, err
	}
	for i := range models {
		if models[i].Name == checkModel {
			return browserWith(&models[i], random, now)
		}
	}
	return nil, fmt.Errorf("there is no model %s", checkModel)
}

func browserWith(m *fixtures.Profile, random io.Reader, now func() time.Time) (webauthn.Client, error) {
	authority, err := attestation.NewAuthority("Check Root", random, now())
	if err != nil {
		return nil, err
	}
	keys := softkeys.New(random, false)
	attests, err := authority.Attestation(string(m.AttestedBy), attestation.Model{AAGUID: m.AAGUID, Title: m.Title}, keys)
	if err != nil {
		return nil, err
	}
	key, err := authenticator.New(m.Profile, authenticator.Env{
		Now: now, Rand: random, User: willing{}, Keys: keys, Attestation: attests,
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(m.CredentialLimit()),
	})
	if err != nil {
		return nil, err
	}
	return webauthn.NewUserAgent(webauthn.Config{Rand: random}, webauthn.Device{Name: m.Name, Authenticator: key}), nil
}

// willing is a user who touches and is recognised.
type willing struct{}

// Presence touches.
func (willing) Presence(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

// Verify is recognised.
func (willing) Verify(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}
