package credential

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"fido-emu/identity/loop"
)

// clock is a time that tests move.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// seeded returns a source of randomness that gives the same each time.
func seeded(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

const (
	audience = "did:web:verifier.test"
	nonce    = "a nonce"
)

// world is an issuer, another one, a holder and a verifier.
type world struct {
	t        *testing.T
	clock    *clock
	net      *loop.Network
	issuer   *Issuer
	other    *Issuer
	holder   *Key
	thief    *Key
	issued   Issued
	verifier *Verifier
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: newClock(), net: loop.New()}
	rand := seeded(7)
	w.issuer = w.newIssuer("issuer.test", rand)
	w.other = w.newIssuer("other.test", rand)
	w.holder, w.thief = newKey(t, rand), newKey(t, rand)
	var err error
	if w.issued, err = w.issuer.Issue(w.holder.DID(), Claims{FirstName: "Ada", LastName: "Lovelace"}); err != nil {
		t.Fatal(err)
	}
	w.verifier = &Verifier{
		Now: w.clock.Now, Resolver: Resolver{w.net.Client()}, Status: NewStatusLists(), Nonces: new(Nonces),
	}
	return w
}

func (w *world) newIssuer(host string, rand *rand.ChaCha8) *Issuer {
	w.t.Helper()
	i, err := NewIssuer(IssuerConfig{Now: w.clock.Now, Rand: rand, BaseURL: "https://" + host, Name: host})
	if err != nil {
		w.t.Fatal(err)
	}
	w.net.Handle(host, i)
	return i
}

func newKey(t *testing.T, rand *rand.ChaCha8) *Key {
	t.Helper()
	k, err := NewKey(rand)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// want is what the verifier takes.
func (w *world) want() Expected {
	return Expected{Type: TypeVerifiedIdentity, Issuers: []string{w.issuer.DID()}}
}

func (w *world) demand() Demand {
	return Demand{Audience: audience, Nonce: nonce, Credentials: []Expected{w.want()}}
}

// presented returns a presentation by the holder.
func (w *world) presented(credentials ...string) string {
	return w.presentedBy(w.holder, audience, nonce, credentials...)
}

func (w *world) presentedBy(key *Key, audience, nonce string, credentials ...string) string {
	w.t.Helper()
	vp, err := Present(key, audience, nonce, "urn:uuid:1", w.clock.Now(), 5*time.Minute, credentials...)
	if err != nil {
		w.t.Fatal(err)
	}
	return vp
}

// resigned returns a token with changed claims and header, signed again with key.
func (w *world) resigned(token string, key *Key, kid string, change func(claims map[string]any)) string {
	w.t.Helper()
	parts := strings.Split(token, ".")
	body, err := decode(parts[1])
	if err != nil {
		w.t.Fatal(err)
	}
	var claims map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		w.t.Fatal(err)
	}
	if change != nil {
		change(claims)
	}
	signed, err := key.Sign(kid, claims)
	if err != nil {
		w.t.Fatal(err)
	}
	return signed
}

// byIssuer signs changed claims with the issuer's own key: what only it can get wrong.
func (w *world) byIssuer(change func(claims map[string]any)) string {
	return w.resigned(w.issued.JWT, w.issuer.key, w.issuer.kid, change)
}

// withHeader returns a token with another header and the same rest.
func withHeader(token, header string) string {
	_, rest, _ := strings.Cut(token, ".")
	return encode([]byte(header)) + "." + rest
}

// hs256 signs a token's claims by HMAC with a public key as the secret: the confusion
// of RFC 8725, section 2.1.
func (w *world) hs256(token, kid string, key *Key) string {
	w.t.Helper()
	body, err := decode(strings.Split(token, ".")[1])
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := key.Public().Bytes()
	if err != nil {
		w.t.Fatal(err)
	}
	signing := jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: public, KeyID: kid}}
	s, err := jose.NewSigner(signing, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	signed, err := s.Sign(body)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// vc changes the vc claim.
func vc(change func(vc map[string]any)) func(map[string]any) {
	return func(claims map[string]any) { change(claims["vc"].(map[string]any)) }
}

// set changes one claim.
func set(name string, value any) func(map[string]any) {
	return func(claims map[string]any) { claims[name] = value }
}
