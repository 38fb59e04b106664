package double

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"fido-emu/ctap/cose"
	"fido-emu/rp"
	"fido-emu/rp/audit"
	"fido-emu/rp/verifier"
	"fido-emu/webauthn"
)

// What the double is.
const (
	rpID   = "example.com"
	origin = "https://login.example.com"
)

// challengeLifetime is how long a ceremony may take.
const challengeLifetime = 5 * time.Minute

// Config says what the double draws from and whom it trusts.
type Config struct {
	Rand    io.Reader
	Now     func() time.Time
	Roots   *x509.CertPool // authorities whose attestation is trusted
	Without []string       // steps that are left out, of Steps
}

// Double is the relying party, in this process, and the adapter to it. It is safe for
// concurrent use.
type Double struct {
	config   Config
	rules    verifier.Config
	verifier *verifier.Verifier
	secret   [32]byte // of made-up credential ids

	mu         sync.Mutex
	ahead      time.Duration
	people     map[string]*person
	records    map[string]*record // by credential id
	deleted    map[string]*record
	sessions   map[string]string // person by the person whose browser it is
	ceremonies []*ceremony
	policies   map[string]rp.Policy
}

var _ interface {
	rp.RelyingParty
	rp.SessionManager
	rp.CredentialManager
	rp.Administration
	rp.Recovery
	rp.Stepwise
	rp.Wishing
	rp.Headed
	audit.Clock
} = (*Double)(nil)

type person struct {
	rp.Person
	handle []byte
	passes []*pass
}

type pass struct {
	text    string
	expires time.Time
	once    bool
	used    bool
}

type record struct {
	verifier.Record
	owner *person
	name  string
	made  time.Time
}

// New returns a double without people.
func New(c Config) (*Double, error) {
	var verifiers []string
	for _, name := range c.Without {
		if !slices.ContainsFunc(own(), func(s verifier.Step) bool { return s.Name == name }) {
			verifiers = append(verifiers, name)
		}
	}
	d := &Double{
		config: c, people: map[string]*person{}, records: map[string]*record{}, deleted: map[string]*record{},
		sessions: map[string]string{}, policies: map[string]rp.Policy{},
	}
	var err error
	d.rules = verifier.Config{RPID: rpID, Origins: []string{origin}, Roots: c.Roots, Now: d.now, Without: verifiers}
	d.verifier, err = verifier.New(d.rules)
	if err == nil {
		_, err = io.ReadFull(c.Rand, d.secret[:])
	}
	if err != nil {
		return nil, fmt.Errorf("double: %w", err)
	}
	return d, nil
}

// lacks tells whether a step is left out.
func (d *Double) lacks(name string) bool { return slices.Contains(d.config.Without, name) }

// now returns the time of the double's clock.
func (d *Double) now() time.Time { return d.config.Now().Add(d.ahead) }

// Pass lets time pass.
func (d *Double) Pass(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ahead += t
}

func refuse(code, format string, args ...any) *rp.Refused {
	return &rp.Refused{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// draw returns n random bytes.
func (d *Double) draw(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(d.config.Rand, b)
	return b, err
}

// policy returns what a person's groups ask for; the caller holds the lock.
func (d *Double) policy(p rp.Person) (all rp.Policy) {
	for _, group := range p.Groups {
		one := d.policies[group]
		all.RequireAttestation = all.RequireAttestation || one.RequireAttestation
		all.RejectCounterRewind = all.RejectCounterRewind || one.RejectCounterRewind
		if one.UserVerification != "" {
			all.UserVerification = one.UserVerification
		}
	}
	return all
}

// Register adds a passkey.
func (d *Double) Register(ctx context.Context, p rp.Person, client webauthn.Client) (rp.Credential, error) {
	return d.RegisterWith(ctx, nil, p, client)
}

// RegisterWith adds a passkey; headers count for nothing, as they should.
func (d *Double) RegisterWith(ctx context.Context, headers map[string]string, p rp.Person, client webauthn.Client) (rp.Credential, error) {
	c, err := d.beginRegistration(p)
	if err != nil {
		return rp.Credential{}, err
	}
	c.headers = headers
	response, err := client.Create(ctx, origin, c.options)
	if err != nil {
		return rp.Credential{}, err
	}
	r, err := d.finishRegistration(c, response)
	if err != nil {
		return rp.Credential{}, err
	}
	return r.describe(), nil
}

// SignIn signs in.
func (d *Double) SignIn(ctx context.Context, p rp.Person, client webauthn.Client) (rp.Session, error) {
	return d.signIn(ctx, p, nil, nil, client)
}

// SignInWishing signs in; wishes count for nothing, as they should.
func (d *Double) SignInWishing(ctx context.Context, p rp.Person, wishes map[string]string, client webauthn.Client) (rp.Session, error) {
	return d.signIn(ctx, p, wishes, nil, client)
}

// SignInWith signs in; headers count for nothing, as they should.
func (d *Double) SignInWith(ctx context.Context, headers map[string]string, p rp.Person, client webauthn.Client) (rp.Session, error) {
	return d.signIn(ctx, p, nil, headers, client)
}

// signIn takes a whole sign-in, with wishes for the options and headers of the request
// that hands the response in.
func (d *Double) signIn(ctx context.Context, p rp.Person, wishes, headers map[string]string, client webauthn.Client) (rp.Session, error) {
	c, err := d.beginSignIn(p, wishes)
	if err != nil {
		return rp.Session{}, err
	}
	c.headers = headers
	response, err := client.Get(ctx, origin, c.options)
	if err != nil {
		return rp.Session{}, err
	}
	return d.finishSignIn(c, response)
}

// describe returns the passkey as lists have it.
func (r *record) describe() rp.Credential {
	return rp.Credential{
		ID: r.ID, Name: r.name, AAGUID: r.AAGUID.String(), Algorithm: r.Algorithm.String(), Attestation: r.Format, Trusted: r.Trusted,
		BackupEligible: r.BackupEligible, BackedUp: r.BackedUp, SignCount: r.SignCount, CreatedAt: r.made,
	}
}

// offered are the algorithms that registrations offer.
func offered() []cose.Algorithm {
	return []cose.Algorithm{cose.ES256, cose.EdDSA, cose.ES384, cose.RS256}
}

// madeUp returns the credential id of somebody who has none, or is nobody: the same
// each time.
func (d *Double) madeUp(name string) []byte {
	mac := hmac.New(sha256.New, d.secret[:])
	mac.Write([]byte(name))
	return mac.Sum(nil)
}

func mustJSON(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &rp.Broken{Doing: "writing options", Err: err}
	}
	return b, nil
}
