package recovery

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestStart(t *testing.T) {
	for _, test := range []struct {
		name     string
		policy   func(*Policy)
		world    func(*bench)
		ask      func(*Ask)
		provider string
		refused  string
	}{
		{name: "the first provider that covers the country", provider: "idemia"},
		{name: "another for another country", ask: func(a *Ask) { a.Country = "TH" }, provider: "au10tix"},
		{name: "the account's country", ask: func(a *Ask) { a.Country = "" }, provider: "idemia"},
		{name: "the next when one is blocked", policy: func(p *Policy) { p.BlockedProviders = []string{"idemia"} }, provider: "au10tix"},
		{name: "all blocked", policy: func(p *Policy) { p.BlockedProviders = []string{"idemia", "au10tix"} }, refused: ProviderBlocked},
		{name: "country not covered", policy: func(p *Policy) { p.Profiles[0].Providers = p.Profiles[0].Providers[:1] }, ask: func(a *Ask) { a.Country = "TH" }, refused: CountryNotCovered},
		{name: "country of none", policy: func(p *Policy) { p.Profiles[0].Providers = []Provider{{Name: "idemia", Countries: []string{"FR"}}} }, refused: CountryNotCovered},
		{name: "recovery is off", policy: func(p *Policy) { p.Profiles = nil }, refused: Off},
		{name: "signed in long enough ago", policy: func(p *Policy) { p.Profiles[0].SignedInWithinMinutes = 1 }, world: func(b *bench) { b.now = b.now.Add(time.Minute) }, provider: "idemia"},
		{name: "nobody of that name, in a profile for all", policy: func(p *Policy) { p.Profiles[0].Groups = nil }, ask: func(a *Ask) { a.Account = "eve@example.com" }, refused: NotInScope},
		{name: "nobody of that name", ask: func(a *Ask) { a.Account = "eve@example.com" }, refused: NotInScope},
		{name: "not in scope", world: func(b *bench) { b.accounts[0].Groups = []string{"guests"} }, refused: NotInScope},
		{name: "excluded", policy: func(p *Policy) { p.Profiles[0].Excluded = []string{"board"} }, world: func(b *bench) { b.accounts[0].Groups = []string{"staff", "board"} }, refused: NotInScope},
		{name: "no licence", world: func(b *bench) { b.accounts[0].Licensed = false }, refused: NoLicence},
		{name: "never signed in", world: func(b *bench) { b.accounts[0].LastSignIn = time.Time{} }, refused: NoRecentSignIn},
		{name: "not since the scope changed", world: func(b *bench) { b.accounts[0].LastSignIn = b.now.Add(-2 * time.Hour) }, refused: NoRecentSignIn},
		{name: "too long ago", policy: func(p *Policy) { p.Profiles[0].SignedInWithinMinutes = 24 * 60 }, world: func(b *bench) { b.now = b.now.Add(25 * time.Hour) }, refused: NoRecentSignIn},
		{name: "pass not enabled", policy: func(p *Policy) { p.PassGroups = []string{"admins"} }, refused: PassNotEnabled},
		{name: "pass enabled", policy: func(p *Policy) { p.PassGroups = []string{"staff"} }, provider: "idemia"},
		{name: "provider down", world: func(b *bench) { b.down = errors.New("connection refused") }, refused: ProviderUnavailable},
		{name: "no Verified ID from before", ask: func(a *Ask) { a.Reuse = true }, refused: NoVerifiedID},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, staff(test.policy))
			if test.world != nil {
				test.world(b)
			}
			ask := ada()
			if test.ask != nil {
				test.ask(&ask)
			}
			started, err := b.Start(t.Context(), ask)
			wantCode(t, err, test.refused)
			if err != nil {
				if want := StepStart + " " + test.refused; len(b.events) != 1 || b.events[0] != want {
					t.Errorf("noted %q, want %q", b.events, want)
				}
				return
			}
			if started.Provider != test.provider {
				t.Errorf("provider %s, want %s", started.Provider, test.provider)
			}
		})
	}
}

func TestScopeThatStaysKeepsItsTime(t *testing.T) {
	b := newBench(t, staff(nil))
	since := b.Policy().Profiles[0].Since
	if err := b.SetPolicy(staff(func(p *Policy) { p.Profiles[0].Mode = Evaluation })); err != nil {
		t.Fatal(err)
	}
	if got := b.Policy().Profiles[0].Since; !got.Equal(since) {
		t.Errorf("another mode moved the scope's time from %s to %s", since, got)
	}
	if err := b.SetPolicy(staff(func(p *Policy) { p.Profiles[0].Groups = []string{"staff", "guests"} })); err != nil {
		t.Fatal(err)
	}
	if got := b.Policy().Profiles[0].Since; !got.Equal(b.now) {
		t.Errorf("another scope is of %s, want %s", got, b.now)
	}
}

func TestPoliciesThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*Policy){
		"mode":      func(p *Policy) { p.Profiles[0].Mode = "test" },
		"match":     func(p *Policy) { p.Profiles[0].Match = "fuzzy" },
		"revoke":    func(p *Policy) { p.Profiles[0].Revoke = "maybe" },
		"threshold": func(p *Policy) { p.Profiles[0].FaceThreshold = 49 },
		"too sure":  func(p *Policy) { p.Profiles[0].FaceThreshold = 101 },
		"lifetime":  func(p *Policy) { p.Profiles[0].PassLifetimeMinutes = 9 },
		"forever":   func(p *Policy) { p.Profiles[0].PassLifetimeMinutes = 43201 },
		"within":    func(p *Policy) { p.Profiles[0].SignedInWithinMinutes = -1 },
		"providers": func(p *Policy) { p.Profiles[0].Providers = nil },
		"provider":  func(p *Policy) { p.Profiles[0].Providers[0].Name = "" },
		"name":      func(p *Policy) { p.Profiles[0].Name = " " },
		"twice":     func(p *Policy) { p.Profiles = append(p.Profiles, p.Profiles[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, staff(nil))
			wantCode(t, b.SetPolicy(staff(change)), BadPolicy)
			if got := b.Policy().Profiles[0].Mode; got != Production {
				t.Errorf("the policy was changed to %q all the same", got)
			}
		})
	}
}

// What is just possible is, with the defaults filled in, and belongs to the desk.
func TestPoliciesThatCanBe(t *testing.T) {
	for _, p := range []Profile{{FaceThreshold: 50, PassLifetimeMinutes: 10}, {FaceThreshold: 100, PassLifetimeMinutes: 43200}, {}} {
		b, given := newBench(t, staff(nil)), staff(nil)
		given.Profiles[0].FaceThreshold, given.Profiles[0].PassLifetimeMinutes, given.Profiles[0].Mode = p.FaceThreshold, p.PassLifetimeMinutes, ""
		wantCode(t, b.SetPolicy(given), "")
		want := Profile{FaceThreshold: cmp.Or(p.FaceThreshold, 70), PassLifetimeMinutes: cmp.Or(p.PassLifetimeMinutes, 60), Mode: Evaluation}
		got := b.Policy().Profiles[0]
		if got.FaceThreshold != want.FaceThreshold || got.PassLifetimeMinutes != want.PassLifetimeMinutes || got.Mode != want.Mode || given.Profiles[0].Mode != "" {
			t.Errorf("got %+v of %+v", got, given.Profiles[0])
		}
		b.Policy().Profiles[0].Mode = Production
		if b.Policy().Profiles[0].Mode != Evaluation {
			t.Error("whoever asks for the policy changes it")
		}
	}
}

// Those of another profile are not asked for, nor those that are blocked by now.
func TestAcceptedProviders(t *testing.T) {
	b := newBench(t, staff(func(p *Policy) {
		p.Profiles = append(p.Profiles, Profile{Name: "guests", Groups: []string{"guests"}, Providers: []Provider{{Name: "lexisnexis"}}})
	}))
	b.to(t, ada())
	if got := b.requests[0].Providers; !slices.Equal(got, []string{"idemia", "au10tix"}) {
		t.Errorf("asked for Verified IDs of %v", got)
	}
	wantCode(t, b.SetPolicy(staff(func(p *Policy) { p.BlockedProviders = []string{"idemia"} })), "")
	wantCode(t, b.Desk.Callback(t.Context(), b.callback(PresentationVerified)), "")
	if !slices.Equal(b.verifiedBy, []string{"au10tix"}) {
		t.Errorf("verified for %v", b.verifiedBy)
	}
}
