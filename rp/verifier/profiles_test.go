package verifier_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
	"fido-emu/fixtures"
	"fido-emu/fixtures/bench"
	"fido-emu/fixtures/emulator"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/verifier"
	"fido-emu/webauthn"
)

const (
	rpID   = "example.com"
	origin = "https://login.example.com"
)

// willing is a user who touches and is recognised.
type willing struct{}

func (willing) Presence(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

func (willing) Verify(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

// heard is a client that remembers what was asked and answered.
type heard struct {
	webauthn.Client
	options, response []byte
}

func (h *heard) Create(ctx context.Context, origin string, options []byte) (_ []byte, err error) {
	h.options = options
	h.response, err = h.Client.Create(ctx, origin, options)
	return h.response, err
}

func (h *heard) Get(ctx context.Context, origin string, options []byte) (_ []byte, err error) {
	h.options = options
	h.response, err = h.Client.Get(ctx, origin, options)
	return h.response, err
}

// request returns what the options that were heard ask for.
func (h *heard) request(t *testing.T, handle []byte, find func([]byte) *verifier.Record) verifier.Request {
	t.Helper()
	var o struct {
		Challenge        string
		PubKeyCredParams []struct{ Alg int }
	}
	if err := json.Unmarshal(h.options, &o); err != nil {
		t.Fatal(err)
	}
	q := verifier.Request{Challenge: unb64(t, o.Challenge), UserHandle: handle, Find: find}
	for _, p := range o.PubKeyCredParams {
		q.Algorithms = append(q.Algorithms, cose.Algorithm(p.Alg))
	}
	return q
}

// What honest authenticators of every model answer is accepted here as it is by
// go-webauthn, and the same is read from it.
func TestProfiles(t *testing.T) {
	models, err := fixtures.Profiles()
	if err != nil {
		t.Fatal(err)
	}
	for i := range models {
		t.Run(models[i].Name, func(t *testing.T) { agree(t, &models[i]) })
	}
}

func agree(t *testing.T, m *fixtures.Profile) {
	ctx, now := t.Context(), time.Now
	random := bench.NewRand(5)
	key, err := emulator.NewCore(ctx, m, "", willing{}, emulator.Env{Now: now, Rand: random})
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	if !key.HasCTAP2() {
		t.Skip("the model speaks U2F alone, which this client does not")
	}
	const pin = "1234567890"
	agent := webauthn.NewUserAgent(webauthn.Config{
		Rand: random, PIN: func(context.Context, webauthn.PINPrompt) (string, error) { return pin, nil },
	}, webauthn.Device{Name: m.Name, Authenticator: key})
	if m.Name == "enterprise-key" { // which does nothing before it has one
		if err := agent.Host(m.Name).SetPIN(ctx, pin); err != nil {
			t.Fatal(err)
		}
	}
	client := &heard{Client: agent}
	policy := rp.Policy{UserVerification: "discouraged"}
	core, err := reference.New(reference.Config{RPID: rpID, Origins: []string{origin}, Now: now, DefaultPolicy: policy})
	if err != nil {
		t.Fatal(err)
	}
	site, who := reference.InProcess(core, ""), rp.Person{Name: "ada"}
	theirs, err := site.Register(ctx, who, client)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifier.New(verifier.Config{RPID: rpID, Origins: []string{origin}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ours, err := v.Register(client.request(t, []byte("handle"), nobody), client.response)
	if err != nil {
		t.Fatalf("go-webauthn accepts the registration: %v", err)
	}
	if string(ours.ID) != string(theirs.ID) || ours.AAGUID.String() != theirs.AAGUID || ours.Format != theirs.Attestation ||
		ours.SignCount != theirs.SignCount || ours.BackupEligible != theirs.BackupEligible || ours.Algorithm.String() != theirs.Algorithm {
		t.Errorf("read as %+v, by go-webauthn as %+v", ours, theirs)
	}
	if _, err := site.SignIn(ctx, who, client); err != nil {
		t.Fatal(err)
	}
	ours.UserHandle = handleIn(t, client.response)
	find := func([]byte) *verifier.Record { return ours }
	next, err := v.Authenticate(client.request(t, ours.UserHandle, find), client.response)
	if err != nil {
		t.Fatalf("go-webauthn accepts the sign-in: %v", err)
	}
	list, err := site.Credentials(ctx, who)
	if err != nil || list[0].SignCount != next.SignCount || list[0].BackedUp != next.BackedUp {
		t.Errorf("%+v, go-webauthn has %+v (%v)", next, list, err)
	}
}

// handleIn returns the user handle of a response; where it has none, some other.
func handleIn(t *testing.T, response []byte) []byte {
	t.Helper()
	var r struct{ Response struct{ UserHandle string } }
	if err := json.Unmarshal(response, &r); err != nil {
		t.Fatal(err)
	}
	if r.Response.UserHandle == "" {
		return []byte("handle")
	}
	return unb64(t, r.Response.UserHandle)
}

func unb64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
