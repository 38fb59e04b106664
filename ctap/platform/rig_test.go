package platform_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
)

const rpID = "example.com"

// key is an authenticator in the test's hands, its user, and a count of what it
// was asked.
type key struct {
	*authenticator.Authenticator
	verify   []authenticator.Answer // to built-in user verification, one after the other; then Granted
	commands int
}

func (k *key) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	k.commands++
	return k.Authenticator.Exchange(ctx, request)
}

func (k *key) Presence(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

func (k *key) Verify(context.Context, authenticator.Prompt) authenticator.Answer {
	if len(k.verify) == 0 {
		return authenticator.Granted
	}
	a := k.verify[0]
	k.verify = k.verify[1:]
	return a
}

func securityKey() authenticator.Profile {
	return authenticator.Profile{
		Name: "key", AAGUID: ctap.AAGUID{1}, Versions: []string{"FIDO_2_0", "FIDO_2_1"},
		Discoverable: true, ClientPIN: true, PINProtocols: []uint{2, 1}, MakeCredNoUV: true,
		Algorithms: []cose.Algorithm{cose.ES256}, Extensions: []string{"hmac-secret"},
		Attestation: authenticator.SelfAttestation, Counter: authenticator.GlobalCounter,
	}
}

// profiles are the ways in which an authenticator can do PINs.
func profiles() map[string]authenticator.Profile {
	one, two, old := securityKey(), securityKey(), securityKey()
	one.PINProtocols, two.PINProtocols = []uint{1}, []uint{2}
	old.Versions, old.PINProtocols = []string{"FIDO_2_0"}, []uint{1}
	return map[string]authenticator.Profile{"protocol one": one, "protocol two": two, "CTAP 2.0": old}
}

func newKey(t testing.TB, p authenticator.Profile) (*key, *platform.Host) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{3})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	k := &key{}
	var err error
	k.Authenticator, err = authenticator.New(p, authenticator.Env{
		Now:  func() time.Time { now = now.Add(time.Millisecond); return now },
		Rand: random, User: k, Keys: softkeys.New(random, true),
		Device:      authenticator.NewMemoryDevice(),
		Credentials: authenticator.NewMemoryCredentials(p.CredentialLimit()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return k, platform.New(k, rand.NewChaCha8([32]byte{4}))
}

// typist is a user who types PINs, one after the other, and then gives up.
type typist struct {
	pins    []string
	prompts []platform.PINPrompt
}

var errGaveUp = errors.New("the user gave up")

func (u *typist) ask(_ context.Context, p platform.PINPrompt) (string, error) {
	u.prompts = append(u.prompts, p)
	if len(u.pins) == 0 {
		return "", errGaveUp
	}
	pin := u.pins[0]
	u.pins = u.pins[1:]
	return pin, nil
}

func creation(user string) *ctap.MakeCredentialRequest {
	return &ctap.MakeCredentialRequest{
		ClientDataHash: make([]byte, 32), RP: &ctap.RelyingParty{ID: rpID},
		User:             &ctap.User{ID: []byte(user), Name: user},
		PubKeyCredParams: []ctap.Parameters{{Algorithm: -7, Type: ctap.PublicKeyCredential}},
		Options:          map[string]bool{"rk": true},
	}
}

func assertion() *ctap.GetAssertionRequest {
	return &ctap.GetAssertionRequest{RPID: rpID, ClientDataHash: make([]byte, 32)}
}

func need(p ctap.Permissions) platform.Need { return platform.Need{Permissions: p, RPID: rpID} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
