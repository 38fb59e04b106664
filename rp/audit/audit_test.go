package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"fido-emu/attestation"
	"fido-emu/rp"
	"fido-emu/rp/audit"
	"fido-emu/webauthn"
)

// at is the time of the tests: today, because go-webauthn looks at the real clock for
// the dates of certificates.
var at = time.Now()

func now() time.Time { return at }

func options(t testing.TB, seed byte) audit.Options {
	t.Helper()
	random := rand.NewChaCha8([32]byte{seed})
	authority, err := attestation.NewAuthority("Audit Root", random, now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return audit.Options{Rand: random, Now: now, Authority: authority, Prefix: "audit-1"}
}

func local(t testing.TB, o audit.Options) *audit.Local {
	t.Helper()
	site, err := audit.NewLocal(rand.NewChaCha8([32]byte{2}), now, o.Authority.Pool())
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func TestCatalogue(t *testing.T) {
	all := audit.Catalogue()
	if len(all) < 400 {
		t.Errorf("%d attacks", len(all))
	}
	seen := map[string]bool{}
	for _, a := range all {
		if seen[a.ID] || a.Title == "" || a.Section == "" || a.Gains == "" || a.Group == "" || !slices.Contains(audit.Severities(), a.Severity) {
			t.Errorf("%+v: twice, or a member is empty", a)
		}
		seen[a.ID] = true
	}
	cited := map[string]bool{}
	for _, a := range all {
		for _, c := range a.Cites {
			cited[strings.Fields(c)[0]] = true
		}
	}
	for _, bug := range []string{
		"CVE-2020-8236", "CVE-2021-38299", "CVE-2022-42731", "CVE-2023-45669", "CVE-2025-26788",
		"CVE-2024-39912", "CVE-2021-3632", "GHSA-h4fw-6r7f-w494",
	} {
		if !cited[bug] {
			t.Errorf("no attack would have found %s", bug)
		}
	}
}

func TestReference(t *testing.T) {
	o := options(t, 1)
	r, err := audit.Run(t.Context(), "reference", local(t, o), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range r.Results {
		switch {
		case one.Verdict == audit.Broken:
			t.Errorf("broken: %s: %s", one.ID, one.Why)
		case one.Verdict == audit.Accepted:
			t.Errorf("accepted: %s (%s): %s", one.ID, one.Rule(), one.Why)
		case one.Verdict == audit.Tolerated && len(one.Exchanges) == 0:
			t.Errorf("%s: nothing to reproduce it by", one.ID)
		case one.Verdict == audit.NotApplicable && !excused(one.ID):
			t.Errorf("not applicable: %s: %s", one.ID, one.Why)
		}
	}
	if len(r.Results) != len(audit.Catalogue()) || r.Origin != "https://login.example.com" || r.RPID != "example.com" {
		t.Errorf("%d results, of %s, %s", len(r.Results), r.Origin, r.RPID)
	}
	if r.Deleted == 0 || len(r.Left) == 0 {
		t.Errorf("%d passkeys deleted, %q left", r.Deleted, r.Left)
	}
}

// excused are the attacks that cannot be made on go-webauthn: it trusts the roots of
// Google and Apple alone for their formats, and refuses names that nobody has.
func excused(id string) bool {
	for _, prefix := range []string{
		"registration.attestation.android-", "registration.attestation.apple-", "enumeration.", "authentication.user-verified.wish",
		"registration.attestation.packed-self-", "registration.attestation.unverified.a", "registration.origin.request-", "authentication.origin.request-",
	} {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}

// From one seed, two audits are the same.
func TestSameTwice(t *testing.T) {
	var reports [2]*audit.Report
	for i := range reports {
		o := options(t, 1)
		o.Only = []string{"authentication", "registration.origin"}
		var err error
		if reports[i], err = audit.Run(t.Context(), "reference", local(t, o), o); err != nil {
			t.Fatal(err)
		}
	}
	for i, one := range reports[0].Results {
		a, err := json.Marshal(one)
		b, err2 := json.Marshal(reports[1].Results[i])
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Fatalf("%s\nand then\n%s", a, b)
		}
	}
}

// liar says one thing and does another.
type liar struct {
	*audit.Local
	register func(rp.Credential, error) (rp.Credential, error)
	signIn   func(rp.Session, error) (rp.Session, error)
}

func (l liar) Register(ctx context.Context, p rp.Person, c webauthn.Client) (rp.Credential, error) {
	cr, err := l.Local.Register(ctx, p, c)
	return l.register(cr, err)
}

func (l liar) SignIn(ctx context.Context, p rp.Person, c webauthn.Client) (rp.Session, error) {
	s, err := l.Local.SignIn(ctx, p, c)
	return l.signIn(s, err)
}

func honest() liar {
	return liar{
		register: func(cr rp.Credential, err error) (rp.Credential, error) { return cr, err },
		signIn:   func(s rp.Session, err error) (rp.Session, error) { return s, err },
	}
}

// What an answer says counts for nothing by itself.
func TestVerdictsAreProved(t *testing.T) {
	tests := []struct {
		name, id string
		lie      func(*liar)
		want     audit.Verdict
	}{
		{"yes, and no session", "authentication.origin.other", func(l *liar) {
			l.signIn = func(s rp.Session, _ error) (rp.Session, error) { return s, nil }
		}, audit.Broken},
		{"yes, and no passkey", "registration.origin.other", func(l *liar) {
			l.register = func(cr rp.Credential, _ error) (rp.Credential, error) { return cr, nil }
		}, audit.Broken},
		{"a server error", "authentication.origin.other", func(l *liar) {
			l.signIn = func(s rp.Session, err error) (rp.Session, error) {
				if err != nil {
					err = &rp.Broken{Doing: "POST /finish", Err: errors.New("status 500")}
				}
				return s, err
			}
		}, audit.Broken},
		{"no answer", "authentication.origin.other", func(l *liar) {
			l.signIn = func(s rp.Session, err error) (rp.Session, error) {
				if err != nil {
					err = context.DeadlineExceeded
				}
				return s, err
			}
		}, audit.Broken},
		{"no more sign-ins after an attack", "authentication.origin.other", func(l *liar) {
			var gone error
			l.signIn = func(s rp.Session, err error) (rp.Session, error) {
				if gone == nil {
					gone = err
				}
				return s, gone
			}
		}, audit.Broken},
		{"no, and a session", "authentication.user-handle.nameless.missing", func(*liar) {}, audit.Refused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := options(t, 1)
			o.Only = []string{test.id}
			l := honest()
			l.Local = local(t, o)
			test.lie(&l)
			r, err := audit.Run(t.Context(), "liar", l, o)
			if err != nil || r.Results[0].Verdict != test.want {
				t.Errorf("%+v, %v", r.Results, err)
			}
		})
	}
}

// A session that comes of a refused sign-in is an accepted attack.
func TestSessionAfterARefusal(t *testing.T) {
	o := options(t, 1)
	o.Only = []string{"authentication.signature.malleable"} // which go-webauthn accepts
	l := honest()
	l.Local = local(t, o)
	calls := 0
	l.signIn = func(s rp.Session, err error) (rp.Session, error) {
		if calls++; calls == 2 {
			err = &rp.Refused{Code: "no", Reason: "no"}
		}
		return s, err
	}
	r, err := audit.Run(t.Context(), "liar", l, o)
	if err != nil || r.Results[0].Verdict != audit.Tolerated || !strings.Contains(r.Results[0].Why, "and yet") {
		t.Errorf("%+v, %v", r.Results, err)
	}
}

// An audit whose honest ceremonies fail ends and says so.
func TestControlFails(t *testing.T) {
	o := options(t, 1)
	l := honest()
	l.Local = local(t, o)
	l.signIn = func(s rp.Session, _ error) (rp.Session, error) {
		return s, &rp.Refused{Code: "closed", Reason: "we are closed"}
	}
	r, err := audit.Run(t.Context(), "closed", l, o)
	if !errors.Is(err, audit.ErrControl) || !strings.Contains(err.Error(), "we are closed") || len(r.Results) != 0 {
		t.Errorf("%d results, %v", len(r.Results), err)
	}
}

// What an adapter cannot do makes attacks not applicable, and nothing else.
func TestBareAdapter(t *testing.T) {
	o := options(t, 1)
	site := local(t, o)
	r, err := audit.Run(t.Context(), "bare", struct{ rp.RelyingParty }{site.Adapter}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range r.Results {
		if one.Verdict == audit.Broken || one.Verdict == audit.Accepted {
			t.Errorf("%s %s: %s", one.Verdict, one.ID, one.Why)
		}
	}
	if r.Count(audit.Refused) < 150 || r.Count(audit.NotApplicable) < 100 {
		t.Errorf("%d refused, %d not applicable", r.Count(audit.Refused), r.Count(audit.NotApplicable))
	}
}
