package web

import (
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/webauthn"
)

// willing is a user who touches and is recognised.
type willing struct{}

func (willing) Presence(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

func (willing) Verify(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

// browser returns a browser with one key that verifies its user by a finger.
func browser(t testing.TB) webauthn.Client {
	t.Helper()
	random := rand.NewChaCha8(sha256.Sum256([]byte(t.Name())))
	p := authenticator.Profile{
		Name: "key", AAGUID: ctap.AAGUID{1}, Versions: []string{"FIDO_2_0", "FIDO_2_1"}, Discoverable: true,
		BuiltInUV: authenticator.Fingerprint, PINProtocols: []uint{2, 1}, ClientPIN: true, Algorithms: []cose.Algorithm{cose.ES256},
		Attestation: authenticator.SelfAttestation, Counter: authenticator.GlobalCounter, Transports: []string{"usb"},
	}
	key, err := authenticator.New(p, authenticator.Env{
		Now: time.Now, Rand: random, User: willing{}, Keys: softkeys.New(random, true),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(p.CredentialLimit()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return webauthn.NewUserAgent(webauthn.Config{Rand: random}, webauthn.Device{Name: "key", Authenticator: key})
}
