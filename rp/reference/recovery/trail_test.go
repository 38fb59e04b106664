package recovery

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"fido-emu/rp"
)

// trail writes what the log and the owner were told, with cases by their number.
func (b *bench) trail() string {
	var s strings.Builder
	number := func(id string) int {
		for i, r := range b.cases {
			if r.id == id {
				return i + 1
			}
		}
		return 0
	}
	for _, e := range b.entries {
		outcome := e.Reason
		if e.Done {
			outcome = "done " + e.Reason
		}
		line := fmt.Sprintf("  case %d of %s: %s %s: %s", number(e.Case), e.Account, e.Step, strings.TrimSpace(outcome), e.Detail)
		for i, r := range b.cases {
			line = strings.ReplaceAll(line, r.id, fmt.Sprint(i+1))
		}
		s.WriteString(strings.TrimSuffix(line, ": ") + "\n")
	}
	for _, n := range b.told {
		fmt.Fprintf(&s, "  %s of case %d at %s\n", n.Kind, number(n.Case), n.Time.Format("15:04"))
	}
	return s.String()
}

// to brings a new case as far as its presentation request.
func (b *bench) to(t *testing.T, ask Ask) Started {
	t.Helper()
	started, err := b.Start(t.Context(), ask)
	wantCode(t, err, "")
	_, err = b.Status(t.Context(), started.ID, started.Secret)
	wantCode(t, err, "")
	return started
}

// TestTrails holds the log and what the owner is told against testdata/trails.txt.
func TestTrails(t *testing.T) {
	verified := func(t *testing.T, b *bench) { _ = b.Desk.Callback(t.Context(), b.callback(PresentationVerified)) }
	var got strings.Builder
	for _, test := range []struct {
		name   string
		policy func(*Policy)
		do     func(*testing.T, *bench)
	}{
		{"production, with everything old revoked", func(p *Policy) { p.Profiles[0].Revoke = RevokeAlways }, func(t *testing.T, b *bench) {
			b.to(t, ada())
			_ = b.Desk.Callback(t.Context(), b.callback(RequestRetrieved))
			verified(t, b)
			b.Registered("ADA@example.com")
		}},
		{"production, with nothing revoked", func(p *Policy) { p.Profiles[0].PassLifetimeMinutes = 10 }, func(t *testing.T, b *bench) {
			b.to(t, ada())
			verified(t, b)
			b.Registered("ada@example.com")
		}},
		{"evaluation", func(p *Policy) { p.Profiles[0].Mode = Evaluation }, func(t *testing.T, b *bench) {
			b.to(t, ada())
			verified(t, b)
		}},
		{"nobody of that name", nil, func(t *testing.T, b *bench) {
			_, _ = b.Start(t.Context(), Ask{Account: "eve@example.com"})
		}},
		{"the provider fails for a while, and the request service", nil, func(t *testing.T, b *bench) {
			b.down = errors.New("connection refused")
			_, _ = b.Start(t.Context(), ada())
			b.down = nil
			s := b.to(t, ada())
			b.now = b.now.Add(6 * time.Minute)
			b.mute = errors.New("connection refused")
			for range 2 {
				_, _ = b.Status(t.Context(), s.ID, s.Secret)
			}
		}},
		{"the provider rejects", nil, func(t *testing.T, b *bench) {
			b.proofed = Proofed{Done: true, Reasons: []string{"photo-blurred", "x"}}
			b.to(t, ada())
		}},
		{"callbacks without the key and of nothing", nil, func(t *testing.T, b *bench) {
			b.to(t, ada())
			c := b.callback(PresentationVerified)
			c.Key = ""
			_ = b.Desk.Callback(t.Context(), c)
			c.State = "x"
			_ = b.Desk.Callback(t.Context(), c)
		}},
		{"the presentation does not hold", nil, func(t *testing.T, b *bench) {
			b.to(t, ada())
			b.invalid = refuse("credential-signature", "no")
			verified(t, b)
		}},
		{"the wallet reports an error", nil, func(t *testing.T, b *bench) {
			b.to(t, ada())
			c := b.callback(PresentationError)
			c.Code, c.Message = "claimValidationError", "not alive"
			_ = b.Desk.Callback(t.Context(), c)
		}},
		{"somebody else", nil, func(t *testing.T, b *bench) {
			b.to(t, ada())
			b.verified.Names.Given = "Eve"
			verified(t, b)
		}},
		{"no pass to be had", nil, func(t *testing.T, b *bench) {
			b.to(t, ada())
			b.closed = errors.New("no randomness")
			verified(t, b)
		}},
		{"too late", nil, func(t *testing.T, b *bench) {
			s := b.to(t, ada())
			b.now = b.now.Add(CaseLifetime)
			_, _ = b.Status(t.Context(), s.ID, s.Secret)
		}},
		{"without its secret", nil, func(t *testing.T, b *bench) {
			s := b.to(t, ada())
			for range 3 { // which the log tells once
				if _, err := b.Status(t.Context(), s.ID, s.Secret+"x"); codeOf(err) != CaseUnknown {
					t.Error(err)
				}
			}
			_, _ = b.Status(t.Context(), "x", s.Secret)
			verified(t, b)
		}},
		{"two at once, and somebody else's", nil, func(t *testing.T, b *bench) {
			b.accounts = append(b.accounts, b.accounts[0])
			b.accounts[1].Name, b.accounts[1].Given = "bob@example.com", "Bob"
			b.to(t, ada())
			b.to(t, Ask{Account: "bob@example.com"})
			b.to(t, ada())
			verified(t, b)
		}},
		{"after a crash", nil, func(t *testing.T, b *bench) {
			b.to(t, ada())
			snapshot := b.Snapshot()
			old := b.cases
			b.Desk = b.desk()
			b.Restore(snapshot)
			b.cases = old // for their numbers
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, staff(test.policy))
			test.do(t, b)
			fmt.Fprintf(&got, "%s\n%s", test.name, b.trail())
		})
	}
	want, err := os.ReadFile("testdata/trails.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s", &got)
	}
}

// What stands in a status.
func TestStatus(t *testing.T) {
	b := newBench(t, staff(func(p *Policy) { p.Profiles[0].PassLifetimeMinutes = 20 }))
	b.proofed.Done = false
	began := b.now
	started, err := b.Start(t.Context(), ada())
	wantCode(t, err, "")
	if !started.Expires.Equal(began.Add(CaseLifetime)) || started.URL != "https://idemia.example/s" {
		t.Errorf("started %+v", started)
	}
	look := func(want Status) {
		t.Helper()
		want.Provider, want.Expires = "idemia", began.Add(CaseLifetime)
		if got, err := b.Status(t.Context(), started.ID, started.Secret); err != nil || got != want {
			t.Errorf("status %+v, %v\nwant   %+v", got, err, want)
		}
	}
	look(Status{State: Proofing, URL: "https://idemia.example/s"})
	b.down = errors.New("off")
	detail := "the provider idemia is not available: try again later, or ask the helpdesk (off)"
	look(Status{State: Proofing, URL: "https://idemia.example/s", Detail: detail})
	b.down = nil
	look(Status{State: Proofing, URL: "https://idemia.example/s"})
	b.proofed.Done, b.mute = true, errors.New("off")
	look(Status{State: Proofing, URL: "https://idemia.example/s", Detail: "the presentation cannot be asked for now: off"})
	b.mute = nil
	b.now = b.now.Add(6 * time.Minute) // what was asked for in vain has expired, too
	look(Status{State: Presenting, URL: "openid-vc://r"})
	requests := len(b.requests)
	look(Status{State: Presenting, URL: "openid-vc://r"})
	b.now = b.now.Add(5*time.Minute - 1)
	look(Status{State: Presenting, URL: "openid-vc://r"})
	if len(b.requests) != requests || b.requests[0].Threshold != DefaultFaceThreshold {
		t.Errorf("%d requests instead of %d, the first %+v", len(b.requests), requests, b.requests[0])
	}
	b.now = b.now.Add(1) // one that expires is asked for anew
	look(Status{State: Presenting, URL: "openid-vc://r"})
	if len(b.requests) != requests+1 {
		t.Errorf("%d requests, want one more than %d", len(b.requests), requests)
	}
	wantCode(t, b.Desk.Callback(t.Context(), b.callback(PresentationVerified)), "")
	look(Status{State: Issued, Pass: "PASS"})
	if b.lifetime != 20*time.Minute {
		t.Errorf("the pass is good for %s", b.lifetime)
	}
	b.Replaced("ADA@example.com")
	look(Status{State: Issued})
	if b.Registered("ada@example.com") || len(b.told) != 2 {
		t.Errorf("the pass of an administrator counts as recovery: %v", b.told)
	}
}

// A Verified ID from before takes a case to its presentation at once.
func TestReuse(t *testing.T) {
	b := newBench(t, staff(func(p *Policy) { p.Profiles[0].Reuse = true }))
	ask := ada()
	ask.Reuse = true
	b.mute = errors.New("off")
	_, err := b.Start(t.Context(), ask)
	wantCode(t, err, RequestFailed)
	b.mute = nil
	started, err := b.Start(t.Context(), ask)
	wantCode(t, err, "")
	if started.Provider != "" || started.URL != "openid-vc://r" {
		t.Errorf("started %+v", started)
	}
	wantCode(t, b.Desk.Callback(t.Context(), b.callback(PresentationVerified)), "")
	if status, err := b.Status(t.Context(), started.ID, started.Secret); err != nil || status.State != Issued {
		t.Errorf("status %+v, %v", status, err)
	}
}

// Without randomness there is no case, no request and nobody to go on with one.
func TestNothingRandom(t *testing.T) {
	for drawn := range 12 + 32 + 32 + 24 + 24 {
		b := newBench(t, staff(nil))
		b.env.Rand = strings.NewReader(strings.Repeat("x", drawn))
		started, err := b.Start(t.Context(), ada())
		if broken := (*rp.Broken)(nil); drawn < 12+32+32 && !errors.As(err, &broken) {
			t.Fatalf("after %d bytes: %v", drawn, err)
		}
		if err == nil {
			_, _ = b.Status(t.Context(), started.ID, started.Secret)
		}
		if len(b.requests) != 0 {
			t.Fatalf("after %d bytes a presentation is asked for: %+v", drawn, b.requests)
		}
	}
}

// Only one asks other services about a case at a time.
func TestBusy(t *testing.T) {
	b := newBench(t, staff(nil))
	started, err := b.Start(t.Context(), ada())
	wantCode(t, err, "")
	b.asking = func() {
		status, err := b.Status(t.Context(), started.ID, started.Secret)
		if err != nil || status.State != Proofing {
			t.Errorf("meanwhile %+v, %v", status, err)
		}
	}
	_, err = b.Status(t.Context(), started.ID, started.Secret)
	wantCode(t, err, "")
	if len(b.requests) != 1 {
		t.Errorf("%d requests, want 1", len(b.requests))
	}
}

// A case that ends while another service is asked about it stays as it ended.
func TestEndsMeanwhile(t *testing.T) {
	for _, while := range []string{"proofing", "requesting"} {
		b := newBench(t, staff(nil))
		b.to(t, ada())
		winner := b.callback(PresentationVerified)
		wins := func() { wantCode(t, b.Desk.Callback(t.Context(), winner), "") }
		if while == "proofing" {
			b.asking = func() { b.asking = nil; wins(); b.proofed = Proofed{Done: true, Reasons: []string{"photo-blurred"}} }
		} else {
			b.creating = wins
		}
		loser, err := b.Start(t.Context(), ada())
		wantCode(t, err, "")
		status, err := b.Status(t.Context(), loser.ID, loser.Secret)
		wantCode(t, err, "")
		if status.State != Ended || status.Reason != CaseSuperseded || status.URL != "" {
			t.Errorf("while %s: %+v", while, status)
		}
	}
}

// A request that does not say when it ends is asked for anew after five minutes.
func TestEndlessRequest(t *testing.T) {
	b := newBench(t, staff(nil))
	b.endless = true
	started := b.to(t, ada())
	b.now = b.cases[0].began.Add(5*time.Minute - 1)
	_, _ = b.Status(t.Context(), started.ID, started.Secret)
	if len(b.requests) != 1 {
		t.Errorf("%d requests just before", len(b.requests))
	}
	b.now = b.now.Add(1)
	_, _ = b.Status(t.Context(), started.ID, started.Secret)
	if len(b.requests) != 2 {
		t.Errorf("%d requests then", len(b.requests))
	}
}

// A pass that was issued before a crash revokes what it was to revoke after it.
func TestGrantedOutlivesACrash(t *testing.T) {
	for _, revoke := range []string{RevokeAlways, RevokeNever} {
		b := newBench(t, staff(func(p *Policy) { p.Profiles[0].Revoke = revoke }))
		done := b.to(t, ada())
		wantCode(t, b.Desk.Callback(t.Context(), b.callback(PresentationVerified)), "")
		snapshot := b.Snapshot()
		b.Desk = b.desk()
		b.Restore(snapshot)
		if got := b.Registered("Ada@example.com"); got != (revoke == RevokeAlways) || b.Registered("ada@example.com") {
			t.Errorf("%s: everything old goes: %v", revoke, got)
		}
		if last := b.entries[len(b.entries)-1]; last.Case != done.ID || last.Account != "ada@example.com" || b.told[len(b.told)-1].Kind != NoticeRegistered {
			t.Errorf("%s: %+v, %+v", revoke, last, b.told)
		}
	}
}

// What is over for a day is forgotten; presentations that were shown are known until
// they end.
func TestForget(t *testing.T) {
	b := newBench(t, staff(nil))
	b.verified.Expires = b.now.Add(48 * time.Hour)
	first := b.to(t, ada())
	wantCode(t, b.Desk.Callback(t.Context(), b.callback(PresentationVerified)), "")
	at := func(d time.Duration, code string, shown int) {
		t.Helper()
		b.now = b.verified.Expires.Add(d)
		b.accounts[0].LastSignIn = b.now
		_, err := b.Start(t.Context(), ada())
		wantCode(t, err, "")
		_, err = b.Status(t.Context(), first.ID, first.Secret)
		wantCode(t, err, code)
		if len(b.shown) != shown {
			t.Errorf("%d presentations are known, want %d", len(b.shown), shown)
		}
	}
	at(-24*time.Hour, "", 1)
	at(-24*time.Hour+1, CaseUnknown, 1)
	at(-1, CaseUnknown, 1)
	at(0, CaseUnknown, 0)
}
