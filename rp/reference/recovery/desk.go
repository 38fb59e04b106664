package recovery

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"fido-emu/rp"
)

// Desk holds the cases of a relying party. Its methods may be called from several
// goroutines at once; other services are never asked while its lock is held.
type Desk struct {
	env Env

	randMu sync.Mutex

	mu      sync.Mutex
	policy  Policy
	cases   []*record            // in the order in which they began
	starts  *limiter             //
	shown   map[string]time.Time // presentations that were decided on, until they end
	granted map[string]*record   // by user name: whose pass has not led to a passkey yet
}

// maxCases bounds the cases that are kept; the oldest go.
const maxCases = 10_000

// New returns a desk without cases and without a policy: recovery is off.
func New(env Env) *Desk {
	if env.Notify == nil {
		env.Notify = func(string, Notice) {}
	}
	return &Desk{env: env, starts: newLimiter(), shown: map[string]time.Time{}, granted: map[string]*record{}}
}

// SetPolicy sets the policy from now on. Cases go on under the profile with which
// they began.
func (d *Desk) SetPolicy(p Policy) error {
	p, err := Normal(p)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.policy = changed(p, d.policy, d.env.Now())
	return nil
}

// Policy returns the policy that holds.
func (d *Desk) Policy() Policy {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.policy
	p.Profiles = slices.Clone(p.Profiles)
	return p
}

// Ask is what somebody says who has lost every way to sign in.
type Ask struct {
	rp.RecoveryAsk
	Account string // user name
	Client  string // where the request came from; counts for the limit on starts
}

// Start begins a case: steps 1 to 4, and 6 where a Verified ID from before is to be
// presented.
func (d *Desk) Start(ctx context.Context, a Ask) (Started, error) {
	started, err := d.start(ctx, a)
	if err != nil {
		d.note(Event{Account: a.Account, Step: StepStart, Reason: codeOf(err), Detail: detailOf(err)})
		return Started{}, err
	}
	return started, nil
}

func (d *Desk) start(ctx context.Context, a Ask) (Started, error) {
	// 1. Tries are counted, whether or not there is such an account.
	policy, err := d.admit(a)
	if err != nil {
		return Started{}, err
	}
	// 2. Eligibility.
	account, ok := d.env.Accounts.Account(a.Account)
	if !ok {
		return Started{}, refuse(NotInScope, "account recovery is not set up for the groups of %s", a.Account)
	}
	profile, err := eligible(policy, account, d.env.Now())
	if err != nil {
		return Started{}, err
	}
	r, started, err := d.draw(account, profile, a)
	if err != nil {
		return Started{}, err
	}
	if a.Reuse {
		if !profile.Reuse {
			return Started{}, refuse(NoVerifiedID, "the profile %s wants identity proved anew", profile.Name)
		}
		r.state, r.proofed = Presenting, true
		return d.open(ctx, r, started)
	}
	// 3. The provider.
	country := a.Country
	if country == "" {
		country = account.Country
	}
	if r.provider, err = choose(policy, profile, country); err != nil {
		return Started{}, err
	}
	// 4. The proofing session.
	if r.session, r.url, err = d.env.Providers.Open(ctx, r.provider, r.id, country); err != nil {
		d.giveBack(a)
		return Started{}, unavailable(r.provider, err)
	}
	return d.open(ctx, r, started)
}

// admit counts a start.
func (d *Desk) admit(a Ask) (Policy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.policy.Profiles) == 0 {
		return Policy{}, refuse(Off, "account recovery is not set up here: ask the helpdesk")
	}
	now := d.env.Now()
	for _, l := range limitsOf(a) {
		if until, ok := d.starts.take(l.key, l.limit, now); !ok {
			return Policy{}, refuse(TooManyStarts, "too many recoveries were begun: wait until %s, or ask the helpdesk", stamp(until))
		}
	}
	return d.policy, nil
}

type limit struct {
	key   string
	limit int
}

// limitsOf lists what a start counts for. The client comes first: one that has used up
// its starts uses up nobody else's.
func limitsOf(a Ask) []limit {
	account := limit{"account " + fold(a.Account), StartsPerAccount}
	if a.Client == "" {
		return []limit{account}
	}
	return []limit{{"client " + a.Client, StartsPerClient}, account}
}

// giveBack uncounts a start that failed for the provider's sake.
func (d *Desk) giveBack(a Ask) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range limitsOf(a) {
		d.starts.give(l.key)
	}
}

// draw makes a case with its secrets.
func (d *Desk) draw(a Account, profile Profile, ask Ask) (*record, Started, error) {
	id, err := d.token(12)
	if err != nil {
		return nil, Started{}, err
	}
	secret, err := d.token(32)
	if err != nil {
		return nil, Started{}, err
	}
	link, err := d.token(32)
	if err != nil {
		return nil, Started{}, err
	}
	r := &record{
		id: id, account: a.Name, profile: profile, began: d.env.Now(), state: Proofing,
		secret: sha256.Sum256([]byte(secret)), link: sha256.Sum256([]byte(link)),
		revoke: profile.Revoke == RevokeAlways || profile.Revoke == RevokeOnRequest && ask.RevokeOld,
	}
	return r, Started{ID: id, Secret: secret, Link: link, Expires: r.expires()}, nil
}

// open enters a new case and tells its owner.
func (d *Desk) open(ctx context.Context, r *record, started Started) (Started, error) {
	if r.state == Presenting { // 6., at once
		if err := d.ask(ctx, r); err != nil {
			return Started{}, err
		}
	}
	d.mu.Lock()
	d.cases = append(d.cases, r)
	d.forget()
	d.mu.Unlock()
	d.note(Event{Case: r.id, Account: r.account, Step: StepStart, Done: true, Detail: strings.TrimSpace("profile " + r.profile.Name + " " + r.provider)})
	d.notify(r, NoticeStarted, "Somebody asked to recover your account. If it was not you, nothing has changed; tell the helpdesk if it goes on.")
	started.Provider, started.URL = r.provider, r.url
	return started, nil
}

// forget drops cases that ended long ago; the caller holds the lock.
func (d *Desk) forget() {
	now := d.env.Now()
	d.cases = slices.DeleteFunc(d.cases, func(r *record) bool { return now.Sub(r.began) > caseKept })
	if extra := len(d.cases) - maxCases; extra > 0 {
		d.cases = slices.Delete(d.cases, 0, extra)
	}
	for id, until := range d.shown {
		if !now.Before(until) {
			delete(d.shown, id)
		}
	}
}

// find returns the case that the test holds for; the caller holds the lock.
func (d *Desk) find(is func(*record) bool) *record {
	i := slices.IndexFunc(d.cases, is)
	if i < 0 {
		return nil
	}
	return d.cases[i]
}

// bySecret finds a case for whoever has its secret; the caller holds the lock. Of a case
// that somebody asks for without its secret, the log tells once: guesses would fill it.
func (d *Desk) bySecret(id, secret string) (*record, error) {
	hash := sha256.Sum256([]byte(secret))
	r := d.find(func(r *record) bool { return r.id == id })
	if r != nil && hmac.Equal(r.secret[:], hash[:]) {
		return r, nil
	}
	err := refuse(CaseUnknown, "there is no such recovery, or it is somebody else's")
	if r != nil && !r.guessed {
		r.guessed = true
		d.note(Event{Case: r.id, Account: r.account, Step: StepStatus, Reason: codeOf(err), Detail: "asked for without its secret"})
	}
	return nil, err
}

// token returns n random bytes as base64url.
func (d *Desk) token(n int) (string, error) {
	d.randMu.Lock()
	defer d.randMu.Unlock()
	b := make([]byte, n)
	if _, err := io.ReadFull(d.env.Rand, b); err != nil {
		return "", &rp.Broken{Doing: "drawing random bytes for a recovery", Err: err}
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func (d *Desk) note(e Event) { d.env.Note(e) }

func (d *Desk) notify(r *record, kind, text string) {
	d.env.Notify(r.account, Notice{Time: d.env.Now(), Kind: kind, Case: r.id, Text: text})
}

// unavailable makes a refusal of what a provider failed at; a refusal stays one.
func unavailable(provider string, err error) error {
	if codeOf(err) != "broken" {
		return err
	}
	return refuse(ProviderUnavailable, "the provider %s is not available: try again later, or ask the helpdesk (%v)", provider, err)
}

func detailOf(err error) string {
	if codeOf(err) == "broken" {
		return err.Error()
	}
	return err.(*rp.Refused).Reason
}

// fold makes user names that differ in case, or in how letters are composed, the same.
func fold(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// String writes a case for messages.
func (r *record) String() string { return fmt.Sprintf("recovery %s of %s", r.id, r.account) }
