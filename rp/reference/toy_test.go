package reference_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/webauthn"
)

// toy is the smallest client with an authenticator in it. A test changes what it
// says before it signs (claim) or after (tamper), and so reaches every rule.
type toy struct {
	t      testing.TB
	aaguid ctap.AAGUID
	flags  ctap.Flags
	count  uint32
	step   uint32 // added to count by each assertion
	keys   []*toyKey
	claim  func(*claims)
	tamper func(*response)
	attest func(*ctap.AuthenticatorData, [32]byte, *ecdsa.PrivateKey) (format string, statement any)

	creation creation // what Create was asked last
	request  request  // what Get was asked last
}

type creation struct {
	Attestation            string
	PubKeyCredParams       []struct{ Alg int }
	ExcludeCredentials     []struct{ ID string }
	AuthenticatorSelection struct{ ResidentKey, UserVerification string }
	Extensions             map[string]any
}

type request struct {
	AllowCredentials []struct{ ID string }
	UserVerification string
}

type toyKey struct {
	id, user []byte
	private  *ecdsa.PrivateKey
}

// claims are what is signed.
type claims struct {
	client map[string]any
	auth   *ctap.AuthenticatorData
	alg    cose.Algorithm
	user   []byte
}

// response is PublicKeyCredentialJSON.
type response struct {
	ID         string         `json:"id"`
	RawID      string         `json:"rawId"`
	Type       string         `json:"type"`
	Extensions map[string]any `json:"clientExtensionResults"`
	Response   map[string]any `json:"response"`
}

const atHome = ctap.FlagUP | ctap.FlagUV

func newToy(t testing.TB) *toy { return &toy{t: t, flags: atHome, step: 1} }

var errNothing = &webauthn.Error{Name: webauthn.NotAllowedError, Message: "no passkey fits"}

func (c *toy) Create(_ context.Context, origin string, options []byte) ([]byte, error) {
	var o struct {
		Challenge string
		RP        struct{ ID string }
		User      struct{ ID string }
	}
	c.creation = creation{}
	if err := errors.Join(json.Unmarshal(options, &o), json.Unmarshal(options, &c.creation)); err != nil {
		return nil, err
	}
	k := c.newKey(fromB64(o.User.ID))
	cl := c.claims("webauthn.create", o.Challenge, origin, o.RP.ID)
	cl.auth.Attested = &ctap.AttestedCredential{AAGUID: c.aaguid, ID: k.id}
	c.change(cl)
	public, err := cose.Marshal(cl.alg, &k.private.PublicKey)
	if err != nil {
		return nil, err
	}
	if cl.auth.Attested != nil {
		cl.auth.Attested.PublicKey = public
	}
	client := mustJSON(cl.client)
	format, statement := "none", any(struct{}{})
	if c.attest != nil {
		format, statement = c.attest(cl.auth, sha256.Sum256(client), k.private)
	}
	object, err := ctap.Encode(map[string]any{"fmt": format, "attStmt": statement, "authData": cl.auth.Append(nil)})
	if err != nil {
		return nil, err
	}
	return c.answer(k, map[string]any{
		"clientDataJSON": b64(client), "attestationObject": b64(object), "transports": []string{"internal"},
	}), nil
}

func (c *toy) Get(_ context.Context, origin string, options []byte) ([]byte, error) {
	var o struct{ Challenge, RPID string }
	c.request = request{}
	if err := errors.Join(json.Unmarshal(options, &o), json.Unmarshal(options, &c.request)); err != nil {
		return nil, err
	}
	k := c.pick()
	if k == nil {
		return nil, errNothing
	}
	c.count += c.step
	cl := c.claims("webauthn.get", o.Challenge, origin, o.RPID)
	cl.user = k.user
	c.change(cl)
	auth, client := cl.auth.Append(nil), mustJSON(cl.client)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(auth[:len(auth):len(auth)], hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, k.private, digest[:])
	if err != nil {
		return nil, err
	}
	r := map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(sig)}
	if cl.user != nil {
		r["userHandle"] = b64(cl.user)
	}
	return c.answer(k, r), nil
}

// pick takes the newest passkey that is asked for.
func (c *toy) pick() (found *toyKey) {
	for _, k := range c.keys {
		fits := len(c.request.AllowCredentials) == 0
		for _, a := range c.request.AllowCredentials {
			fits = fits || a.ID == b64(k.id)
		}
		if fits {
			found = k
		}
	}
	return found
}

func (c *toy) newKey(user []byte) *toyKey {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	k := &toyKey{id: make([]byte, 16), user: user, private: private}
	if _, err := rand.Read(k.id); err != nil {
		c.t.Fatal(err)
	}
	c.keys = append(c.keys, k)
	return k
}

func (c *toy) claims(kind, challenge, origin, rpID string) *claims {
	return &claims{
		client: map[string]any{"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false},
		auth:   &ctap.AuthenticatorData{RPIDHash: sha256.Sum256([]byte(rpID)), Flags: c.flags, SignCount: c.count},
		alg:    cose.ES256,
	}
}

func (c *toy) change(cl *claims) {
	if c.claim != nil {
		c.claim(cl)
	}
}

func (c *toy) answer(k *toyKey, inner map[string]any) []byte {
	r := &response{ID: b64(k.id), RawID: b64(k.id), Type: "public-key", Extensions: map[string]any{}, Response: inner}
	if c.tamper != nil {
		c.tamper(r)
	}
	return mustJSON(r)
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func fromB64(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// clientFunc is a client that only signs in.
type clientFunc func(ctx context.Context, origin string, options []byte) ([]byte, error)

func (f clientFunc) Create(context.Context, string, []byte) ([]byte, error) { return nil, errNothing }

func (f clientFunc) Get(ctx context.Context, origin string, options []byte) ([]byte, error) {
	return f(ctx, origin, options)
}

func challengeOf(options []byte) string {
	var o struct{ Challenge string }
	if err := json.Unmarshal(options, &o); err != nil {
		panic(err)
	}
	return o.Challenge
}

// always makes the same attestation statement every time.
func always(format string, statement any) func(*ctap.AuthenticatorData, [32]byte, *ecdsa.PrivateKey) (string, any) {
	return func(*ctap.AuthenticatorData, [32]byte, *ecdsa.PrivateKey) (string, any) { return format, statement }
}

// registerAt signs somebody up and returns the token of their session.
func registerAt(t *testing.T, core *reference.Core, name string) string {
	t.Helper()
	begun, err := core.BeginRegistration("", rp.Person{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := newToy(t).Create(t.Context(), origin, begun.Options)
	if err != nil {
		t.Fatal(err)
	}
	done, err := core.FinishRegistration("", begun.Ceremony, answer)
	if err != nil {
		t.Fatal(err)
	}
	return done.Grant.Token
}
