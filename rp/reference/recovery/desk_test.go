package recovery

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/rp"
)

// bench is everything around a desk: a directory, a provider and a request service
// that do what a test tells them.
type bench struct {
	*Desk
	now      time.Time
	accounts []Account
	events   []string // step, and reason of what was refused
	entries  []Event
	notices  []string // account and kind
	told     []Notice
	issued   int
	lifetime time.Duration
	closed   error // of whoever issues passes

	down       error // of the provider
	proofed    Proofed
	lost       bool // the provider forgot its sessions
	requests   []Wanted
	mute       error // of the request service
	verified   Verified
	verifiedBy []string
	invalid    error // of the cryptographic verification
	fresh      bool  // no two presentations are the same
	meantime   func()
	asking     func() // while the provider is asked
	creating   func() // while a presentation is asked for
	endless    bool   // requests do not say when they end
	mu         sync.Mutex
}

func newBench(t *testing.T, policy Policy) *bench {
	t.Helper()
	b := &bench{
		now:      time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC),
		proofed:  Proofed{Done: true, Verified: true},
		verified: Verified{Names: Names{"Ada", "Lovelace"}, BirthDate: "1815-12-10", Issuer: "did:web:id.example", ID: "p1"},
	}
	b.Desk = b.desk()
	if err := b.SetPolicy(policy); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	b.accounts = []Account{{Name: "ada@example.com", Groups: []string{"staff"}, Given: "Ada", Family: "Lovelace", BirthDate: "1815-12-10", Country: "GB", Licensed: true, LastSignIn: b.now}}
	return b
}

func (b *bench) desk() *Desk {
	return New(Env{
		Now: func() time.Time { return b.now }, Rand: rand.NewChaCha8([32]byte{1}),
		Accounts: b, Providers: b, Requests: b, Verify: b,
		Issue: func(_ string, lifetime time.Duration) (string, error) {
			if b.closed != nil {
				return "", b.closed
			}
			b.issued, b.lifetime = b.issued+1, lifetime
			return "PASS", nil
		},
		Note: func(e Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, strings.TrimSpace(e.Step+" "+e.Reason))
			b.entries = append(b.entries, e)
		},
		Notify: func(a string, n Notice) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.notices = append(b.notices, a+" "+n.Kind)
			b.told = append(b.told, n)
		},
	})
}

func (b *bench) Account(name string) (Account, bool) {
	for _, a := range b.accounts {
		if fold(a.Name) == fold(name) {
			return a, true
		}
	}
	return Account{}, false
}

func (b *bench) All() []Account { return b.accounts }

func (b *bench) Open(_ context.Context, provider, reference, _ string) (string, string, error) {
	return "s-" + reference, "https://" + provider + ".example/s", b.down
}

func (b *bench) Result(context.Context, string, string) (Proofed, error) {
	if b.asking != nil {
		b.asking()
	}
	if b.lost {
		return Proofed{}, refuse(ProofingLost, "no such session")
	}
	return b.proofed, b.down
}

func (b *bench) Create(_ context.Context, w Wanted) (Asked, error) {
	b.requests = append(b.requests, w)
	if do := b.creating; do != nil {
		b.creating = nil
		do()
	}
	if b.endless {
		return Asked{Request: fmt.Sprintf("r%d", len(b.requests)), URL: "openid-vc://r"}, nil
	}
	return Asked{Request: fmt.Sprintf("r%d", len(b.requests)), URL: "openid-vc://r", Expires: b.now.Add(5 * time.Minute)}, b.mute
}

func (b *bench) Verify(_ context.Context, request string, providers []string) (Verified, error) {
	b.mu.Lock()
	b.verifiedBy = providers
	b.mu.Unlock()
	if b.fresh {
		v := b.verified
		v.ID = request
		return v, b.invalid
	}
	if b.meantime != nil {
		b.meantime()
	}
	return b.verified, b.invalid
}

// callback is a good one for the last request.
func (b *bench) callback(status string) Callback {
	w := b.requests[len(b.requests)-1]
	return Callback{Key: w.Key, State: w.State, Request: fmt.Sprintf("r%d", len(b.requests)), Status: status, Face: &FaceCheck{Score: 91, Quality: "HIGH"}}
}

// staff is a policy for everybody's production.
func staff(change func(*Policy)) Policy {
	p := Policy{Profiles: []Profile{{
		Name: "staff", Groups: []string{"staff"}, Mode: Production,
		Providers: []Provider{{Name: "idemia", Countries: []string{"GB", "FR"}}, {Name: "au10tix"}},
	}}}
	if change != nil {
		change(&p)
	}
	return p
}

func ada() Ask {
	return Ask{Account: "Ada@example.com", Client: "192.0.2.7", RecoveryAsk: rp.RecoveryAsk{Country: "GB"}}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil && code == "" {
		return
	}
	if err == nil || codeOf(err) != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

// TestDecide takes one case from its start to its end and changes one thing.
func TestDecide(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy func(*Policy)
		world  func(*bench)
		call   func(*Callback)
		state  string
		reason string
	}{
		{name: "production", state: Issued},
		{name: "evaluation", policy: func(p *Policy) { p.Profiles[0].Mode = "" }, state: Evaluated},
		{name: "provider rejects", world: func(b *bench) { b.proofed = Proofed{Done: true, Reasons: []string{"photo-blurred", "x"}} }, state: Ended, reason: "photo-blurred"},
		{name: "provider forgot", world: func(b *bench) { b.lost = true }, state: Ended, reason: ProofingLost},
		{name: "signature", world: func(b *bench) { b.invalid = refuse("credential-signature", "no") }, state: Ended, reason: "credential-signature"},
		{name: "no Face Check", call: func(c *Callback) { c.Face = nil }, state: Ended, reason: FaceCheckMissing},
		{name: "score", call: func(c *Callback) { c.Face.Score = 69.9 }, state: Ended, reason: FaceScoreLow},
		{name: "score above all", call: func(c *Callback) { c.Face.Score = 100.5 }, state: Ended, reason: FaceScoreLow},
		{name: "score that is none", call: func(c *Callback) { c.Face.Score = math.NaN() }, state: Ended, reason: FaceScoreLow},
		{name: "full score", call: func(c *Callback) { c.Face.Score = 100 }, state: Issued},
		{name: "wallet's error without a code", call: func(c *Callback) { c.Status = PresentationError }, state: Ended, reason: RequestFailed},
		{name: "no pass to be had", world: func(b *bench) { b.closed = refuse("unknown-person", "gone") }, state: Ended, reason: "unknown-person"},
		{name: "expired meanwhile, evaluated", policy: func(p *Policy) { p.Profiles[0].Mode = Evaluation }, world: func(b *bench) { b.meantime = func() { b.now = b.now.Add(time.Hour) } }, state: Ended, reason: CaseExpired},
		{name: "refused after it expired", world: func(b *bench) {
			b.meantime = func() { b.now = b.now.Add(time.Hour); b.verified.Names.Given = "Eve" }
		}, state: Ended, reason: NameMismatch},
		{name: "score at the threshold", call: func(c *Callback) { c.Face.Score = 70 }, state: Issued},
		{name: "quality", call: func(c *Callback) { c.Face.Quality = "LOW" }, state: Ended, reason: PhotoQualityLow},
		{name: "wallet's error", call: func(c *Callback) { c.Status, c.Code = PresentationError, "claimValidationError" }, state: Ended, reason: "claimValidationError"},
		{name: "names", world: func(b *bench) { b.verified.Names.Given = "Ada Augusta" }, state: Ended, reason: NameMismatch},
		{name: "names, relaxed", policy: func(p *Policy) { p.Profiles[0].Match = Relaxed }, world: func(b *bench) { b.verified.Names.Given = "Ada Augusta" }, state: Issued},
		{name: "no names", world: func(b *bench) { b.accounts[0].Given, b.accounts[0].Family = "", "" }, state: Ended, reason: NamesMissing},
		{name: "namesake", world: func(b *bench) { b.accounts = append(b.accounts, namesake()) }, state: Ended, reason: AmbiguousName},
		{name: "namesake, told apart", policy: func(p *Policy) { p.Profiles[0].BirthDate = true }, world: func(b *bench) { b.accounts = append(b.accounts, namesake()) }, state: Issued},
		{name: "birth date", policy: func(p *Policy) { p.Profiles[0].BirthDate = true }, world: func(b *bench) { b.verified.BirthDate = "1815-12-11" }, state: Ended, reason: ClaimMismatch},
		{name: "account gone", world: func(b *bench) { b.meantime = func() { b.accounts = nil } }, state: Ended, reason: AccountGone},
		{name: "expired meanwhile", world: func(b *bench) { b.meantime = func() { b.now = b.now.Add(time.Hour) } }, state: Ended, reason: CaseExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, staff(test.policy))
			if test.world != nil {
				test.world(b)
			}
			started, err := b.Start(t.Context(), ada())
			wantCode(t, err, "")
			if status, err := b.Status(t.Context(), started.ID, started.Secret); err == nil && Open(status.State) {
				wantCode(t, b.Callback(t.Context(), b.callback(RequestRetrieved)), "")
				c := b.callback(PresentationVerified)
				if test.call != nil {
					test.call(&c)
				}
				wantCode(t, b.Callback(t.Context(), c), "")
			}
			status, err := b.Status(t.Context(), started.ID, started.Secret)
			wantCode(t, err, "")
			if status.State != test.state || status.Reason != test.reason {
				t.Fatalf("case is %s (%s: %s), want %s (%s)\n%s", status.State, status.Reason, status.Detail, test.state, test.reason, strings.Join(b.events, "\n"))
			}
			if issued := test.state == Issued; (b.issued == 1) != issued || (status.Pass != "") != issued {
				t.Errorf("%d passes were issued, %q shown", b.issued, status.Pass)
			}
		})
	}
}

func namesake() Account {
	return Account{Name: "ada2@example.com", Given: "Ada", Family: "Lovelace", BirthDate: "1990-01-01"}
}

func TestCallbacksThatCountForNothing(t *testing.T) {
	for _, test := range []struct {
		name, code string
		call       func(*bench, *Callback)
	}{
		{"without the key", CallbackForbidden, func(_ *bench, c *Callback) { c.Key = "" }},
		{"another key", CallbackForbidden, func(_ *bench, c *Callback) { c.Key += "x" }},
		{"another state", CallbackUnknown, func(_ *bench, c *Callback) { c.State = "x" }},
		{"no state", CallbackUnknown, func(_ *bench, c *Callback) { c.State = "" }},
		{"another request", CallbackUnknown, func(_ *bench, c *Callback) { c.Request = "r9" }},
		{"retrieved twice", CallbackReplayed, func(b *bench, c *Callback) {
			c.Status = RequestRetrieved
			_ = b.Desk.Callback(context.Background(), *c) // the first
		}},
		{"another status", CallbackMalformed, func(_ *bench, c *Callback) { c.Status = "issuance_successful" }},
		{"too late", CaseExpired, func(b *bench, _ *Callback) { b.now = b.now.Add(CaseLifetime) }},
		{"of an older request", CallbackUnknown, func(b *bench, _ *Callback) {
			b.now = b.now.Add(6 * time.Minute)
			b.advance(context.Background(), b.cases[0])
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, staff(nil))
			started, err := b.Start(t.Context(), ada())
			wantCode(t, err, "")
			_, err = b.Status(t.Context(), started.ID, started.Secret)
			wantCode(t, err, "")
			c := b.callback(PresentationVerified)
			test.call(b, &c)
			wantCode(t, b.Callback(t.Context(), c), test.code)
			if b.issued != 0 {
				t.Error("a pass was issued")
			}
		})
	}
}

func TestReplays(t *testing.T) {
	b := newBench(t, staff(nil))
	begin := func() {
		t.Helper()
		started, err := b.Start(t.Context(), ada())
		wantCode(t, err, "")
		_, err = b.Status(t.Context(), started.ID, started.Secret)
		wantCode(t, err, "")
	}
	begin()
	wantCode(t, b.Callback(t.Context(), b.callback(PresentationVerified)), "")
	wantCode(t, b.Callback(t.Context(), b.callback(PresentationVerified)), CallbackReplayed)
	begin()
	wantCode(t, b.Callback(t.Context(), b.callback(PresentationVerified)), "") // with the same presentation
	if got := b.cases[1].reason; got != PresentationReplayed || b.issued != 1 {
		t.Errorf("second case ended with %q and %d passes, want %s and 1", got, b.issued, PresentationReplayed)
	}
}

func TestTwoAtOnceEndInOne(t *testing.T) {
	b := newBench(t, staff(nil))
	var calls []Callback
	var all []Started
	for range 2 {
		started, err := b.Start(t.Context(), ada())
		wantCode(t, err, "")
		_, err = b.Status(t.Context(), started.ID, started.Secret)
		wantCode(t, err, "")
		c := b.callback(PresentationVerified)
		calls, all = append(calls, c), append(all, started)
	}
	b.fresh = true
	wantCode(t, b.Callback(t.Context(), calls[1]), "")
	wantCode(t, b.Callback(t.Context(), calls[0]), CaseSuperseded)
	first, _ := b.Status(t.Context(), all[0].ID, all[0].Secret)
	second, _ := b.Status(t.Context(), all[1].ID, all[1].Secret)
	if first.State != Ended || second.State != Issued || b.issued != 1 || first.Pass != "" {
		t.Errorf("cases are %s and %s, %d passes; want ended, pass-issued, 1", first.State, second.State, b.issued)
	}
}

func TestLimits(t *testing.T) {
	b := newBench(t, staff(nil))
	for range StartsPerAccount {
		_, err := b.Start(t.Context(), ada())
		wantCode(t, err, "")
	}
	_, err := b.Start(t.Context(), ada())
	wantCode(t, err, TooManyStarts)
	b.now = b.now.Add(StartWindow)
	b.down = errors.New("off")
	for range StartsPerAccount + 1 { // what the provider fails at is not counted
		_, err = b.Start(t.Context(), ada())
		wantCode(t, err, ProviderUnavailable)
	}
	b.down = nil
	for i := range StartsPerClient { // names that nobody has count for the client
		_, err = b.Start(t.Context(), Ask{Account: fmt.Sprint(i), Client: "192.0.2.7"})
		wantCode(t, err, NotInScope)
	}
	for range StartsPerAccount { // and what is refused to it does not count for the owner
		_, err = b.Start(t.Context(), ada())
		wantCode(t, err, TooManyStarts)
	}
	for i := range StartsPerClient + 1 { // nobody knows where these come from
		_, err = b.Start(t.Context(), Ask{Account: fmt.Sprint(i)})
		wantCode(t, err, NotInScope)
	}
	owner := ada()
	owner.Client = "198.51.100.1"
	_, err = b.Start(t.Context(), owner)
	wantCode(t, err, "")
}

func TestSecretAndLink(t *testing.T) {
	b := newBench(t, staff(nil))
	started, err := b.Start(t.Context(), ada())
	wantCode(t, err, "")
	for _, secret := range []string{"", started.Link, started.Secret + "x"} {
		_, err := b.Status(t.Context(), started.ID, secret)
		wantCode(t, err, CaseUnknown)
	}
	url, state, err := b.Continue(t.Context(), started.Link)
	wantCode(t, err, "")
	if url != "openid-vc://r" || state != Presenting {
		t.Errorf("the link leads to %s, %s; want on to the wallet", url, state)
	}
	_, _, err = b.Continue(t.Context(), started.Secret)
	wantCode(t, err, CaseUnknown)
}

func TestProviderThatComesBack(t *testing.T) {
	b := newBench(t, staff(nil))
	started, err := b.Start(t.Context(), ada())
	wantCode(t, err, "")
	b.down = errors.New("connection refused")
	for range 3 {
		status, err := b.Status(t.Context(), started.ID, started.Secret)
		wantCode(t, err, "")
		if status.State != Proofing || status.Detail == "" {
			t.Fatalf("case is %s (%s), want open and in trouble", status.State, status.Detail)
		}
	}
	b.down = nil
	status, err := b.Status(t.Context(), started.ID, started.Secret)
	wantCode(t, err, "")
	if status.State != Presenting || status.Detail != "" {
		t.Errorf("case is %s (%s), want presenting", status.State, status.Detail)
	}
	if got, want := strings.Join(b.events, ", "), "recovery-start, recovery-proofing provider-unavailable, recovery-proofing, recovery-request"; got != want {
		t.Errorf("noted %s\nwant %s", got, want)
	}
}

func TestRevocation(t *testing.T) {
	for _, test := range []struct {
		rule string
		ask  bool
		want bool
	}{
		{RevokeOnRequest, false, false}, {RevokeOnRequest, true, true}, {RevokeAlways, false, true}, {RevokeNever, true, false},
	} {
		t.Run(fmt.Sprint(test.rule, " ", test.ask), func(t *testing.T) {
			b := newBench(t, staff(func(p *Policy) { p.Profiles[0].Revoke = test.rule }))
			ask := ada()
			ask.RevokeOld = test.ask
			started, err := b.Start(t.Context(), ask)
			wantCode(t, err, "")
			_, err = b.Status(t.Context(), started.ID, started.Secret)
			wantCode(t, err, "")
			wantCode(t, b.Callback(t.Context(), b.callback(PresentationVerified)), "")
			if got := b.Registered("ADA@example.com"); got != test.want {
				t.Errorf("old ones go: %v, want %v", got, test.want)
			}
			if b.Registered("ada@example.com") {
				t.Error("a second passkey counts as recovery, too")
			}
			if status, _ := b.Status(t.Context(), started.ID, started.Secret); status.Pass != "" {
				t.Error("the pass is still shown")
			}
			want := "recovery-started, recovery-pass-issued, recovery-passkey-registered"
			if got := strings.ReplaceAll(strings.Join(b.notices, ", "), "ada@example.com ", ""); got != want {
				t.Errorf("the owner was told %s, want %s", got, want)
			}
		})
	}
}
