package webauthn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
)

const origin = "https://login.example.com"

// key is an authenticator in the test's hands, and its user.
type key struct {
	*authenticator.Authenticator
	answer authenticator.Answer // of the user, to everything
	asked  []authenticator.Prompt
}

func (k *key) Presence(ctx context.Context, p authenticator.Prompt) authenticator.Answer {
	return k.Verify(ctx, p)
}

func (k *key) Verify(ctx context.Context, p authenticator.Prompt) authenticator.Answer {
	k.asked = append(k.asked, p)
	if k.answer == authenticator.Cancelled { // nobody there: wait until the platform gives up
		<-ctx.Done()
	}
	return k.answer
}

func newKey(t testing.TB, p authenticator.Profile) *key {
	t.Helper()
	random := rand.NewChaCha8(sha256.Sum256([]byte(p.Name)))
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
	return k
}

func securityKey() authenticator.Profile {
	return authenticator.Profile{
		Name: "key", AAGUID: ctap.AAGUID{1}, Versions: []string{"FIDO_2_0", "FIDO_2_1"},
		Discoverable: true, ClientPIN: true, PINProtocols: []uint{2, 1}, MakeCredNoUV: true,
		Algorithms:  []cose.Algorithm{cose.ES256, cose.EdDSA},
		Extensions:  []string{"credProtect", "hmac-secret", "hmac-secret-mc"},
		Transports:  []string{"usb", "nfc"},
		Attestation: authenticator.SelfAttestation, Counter: authenticator.GlobalCounter,
	}
}

func phone() authenticator.Profile {
	p := securityKey()
	p.Name, p.Platform, p.ClientPIN, p.BuiltInUV = "phone", true, false, authenticator.Face
	p.Transports, p.AlwaysDiscover = []string{"internal", "hybrid"}, true
	p.BackupEligible, p.Counter, p.Attestation = true, authenticator.NoCounter, authenticator.NoAttestation
	return p
}

// browser is a UserAgent that keeps what happened.
type browser struct {
	*UserAgent
	t          testing.TB
	exchanges  []Exchange
	ceremonies []Ceremony
	prompts    []PINPrompt
	pins       []string // what the user types, one after the other; then the user gives up
}

func newBrowser(t testing.TB, config Config, devices ...Device) *browser {
	b := &browser{t: t}
	config.Rand = rand.NewChaCha8([32]byte{9})
	config.OnExchange = func(e Exchange) { b.exchanges = append(b.exchanges, e) }
	config.OnCeremony = func(c Ceremony) { b.ceremonies = append(b.ceremonies, c) }
	if config.PIN == nil {
		config.PIN = b.typePIN
	}
	b.UserAgent = NewUserAgent(config, devices...)
	return b
}

func (b *browser) typePIN(_ context.Context, p PINPrompt) (string, error) {
	b.prompts = append(b.prompts, p)
	if len(b.pins) == 0 {
		return "", errors.New("the user gave up")
	}
	pin := b.pins[0]
	b.pins = b.pins[1:]
	return pin, nil
}

// commands returns the commands that devices were sent since last asked, by name
// without "authenticator".
func (b *browser) commands() string {
	var all []string
	for _, e := range b.exchanges {
		all = append(all, strings.TrimPrefix(ctap.Command(e.Request[0]).String(), "authenticator"))
	}
	b.exchanges = nil
	return strings.Join(all, " ")
}

func device(name string, a ctap.Authenticator) Device { return Device{Name: name, Authenticator: a} }

// creationJSON returns creation options; more are further members, or other
// values for the same ones.
func creationJSON(more string) []byte {
	return merge(`{"rp":{"name":"Example"},"user":{"id":"YWRh","name":"ada","displayName":"Ada"},
		"challenge":"Y2hhbGxlbmdlIGNoYWxsZW5nZQ","pubKeyCredParams":[{"type":"public-key","alg":-7}]}`, more)
}

// requestJSON returns request options; more is as in creationJSON.
func requestJSON(more string) []byte {
	return merge(`{"challenge":"Y2hhbGxlbmdlIGNoYWxsZW5nZQ"}`, more)
}

func merge(base, more string) []byte {
	members := map[string]json.RawMessage{}
	for _, part := range []string{base, more} {
		if part != "" {
			if err := json.Unmarshal([]byte(part), &members); err != nil {
				panic(err)
			}
		}
	}
	b, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return b
}

// credential is a response, read as a relying party would.
type credential struct {
	ID                      string
	RawID                   string
	Type                    string
	AuthenticatorAttachment string
	ClientExtensionResults  struct {
		CredProps *struct{ RK *bool }
		PRF       *struct {
			Enabled *bool
			Results *struct{ First, Second string }
		}
	}
	Response struct {
		ClientDataJSON, AuthenticatorData, AttestationObject, PublicKey, Signature string
		UserHandle                                                                 *string
		Transports                                                                 []string
		PublicKeyAlgorithm                                                         int
	}
	data *ctap.AuthenticatorData
	raw  []byte // authenticator data
}

func (b *browser) create(more string) *credential {
	b.t.Helper()
	response, err := b.Create(b.t.Context(), origin, creationJSON(more))
	if err != nil {
		b.t.Fatalf("create %s: %v", more, err)
	}
	return read(b.t, response)
}

func (b *browser) get(more string) *credential {
	b.t.Helper()
	response, err := b.Get(b.t.Context(), origin, requestJSON(more))
	if err != nil {
		b.t.Fatalf("get %s: %v", more, err)
	}
	return read(b.t, response)
}

func read(t testing.TB, response []byte) *credential {
	t.Helper()
	var c credential
	if err := json.Unmarshal(response, &c); err != nil {
		t.Fatalf("%v: %s", err, response)
	}
	c.raw = unb64(t, c.Response.AuthenticatorData)
	var err error
	if c.data, err = ctap.ParseAuthenticatorData(c.raw); err != nil {
		t.Fatal(err)
	}
	if c.ID != c.RawID || c.Type != "public-key" {
		t.Errorf("id %s, rawId %s, type %s", c.ID, c.RawID, c.Type)
	}
	return &c
}

// verify checks the signature of an assertion with the key of a registration.
func (c *credential) verify(t testing.TB, made *credential) {
	t.Helper()
	hash := sha256.Sum256(unb64(t, c.Response.ClientDataJSON))
	message := append(bytes.Clone(c.raw), hash[:]...)
	if err := cose.Verify(made.data.Attested.PublicKey, message, unb64(t, c.Response.Signature)); err != nil {
		t.Error(err)
	}
	if c.ID != made.ID {
		t.Errorf("signed with %s, want %s", c.ID, made.ID)
	}
}

// listed returns a list of credentials as the member of options.
func listed(member string, all ...*credential) string {
	var b strings.Builder
	for i, c := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"public-key","id":%q}`, c.ID)
	}
	return fmt.Sprintf(`%q:[%s]`, member, b.String())
}

func unb64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantError checks the name and member of a refusal.
func wantError(t testing.TB, err error, name, member string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Name != name || e.Member != member {
		t.Fatalf("got %v, want %s at %q", err, name, member)
	}
	if e.Message == "" {
		t.Errorf("%v says nothing", e)
	}
	return e
}
