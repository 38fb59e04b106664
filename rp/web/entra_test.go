package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// tenant starts the reference relying party, whose Graph answers limit requests in ten
// seconds, and opens the description of Entra for it. What is slept is added to *slept,
// and passes for the tenant too.
func tenant(t *testing.T, limit int, slept *time.Duration) (*reference.Core, Site) {
	t.Helper()
	began := time.Now()
	core, err := reference.New(reference.Config{
		RPID: "login.microsoft.com", Origins: []string{"https://login.microsoft.com"}, AdminToken: "graph-token", GraphLimit: limit,
		Now: func() time.Time { return began.Add(*slept) }, Rand: rand.NewChaCha8(sha256.Sum256(nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"admins", "staff", "guests", "more"} {
		if err := core.AddGroup(name); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(reference.Handler(core))
	t.Cleanup(s.Close)
	settings := map[string]string{"graph": s.URL + "/graph/v1.0", "domain": "contoso.example", "access-token": "graph-token", "first-password": "x"}
	return core, open(t, "descriptions/entra.yaml", Options{Settings: settings, Sleep: func(_ context.Context, d time.Duration) error {
		*slept += d
		return nil
	}})
}

func TestEntraProvisions(t *testing.T) {
	var slept time.Duration
	core, site := tenant(t, 3, &slept)
	ctx, admin, key := t.Context(), site, browser(t)
	ada := rp.Person{Name: site.UserName("ada"), DisplayName: "Ada", Groups: []string{"admins"}}
	if err := admin.AddPerson(ctx, ada); err != nil {
		t.Fatal(err)
	}
	made, err := site.Register(ctx, ada, key)
	if err != nil {
		t.Fatal(err)
	}
	if slept == 0 || slept%(10*time.Second) != 0 {
		t.Errorf("slept %v, and Retry-After asked for ten seconds each time", slept)
	}
	listed, err := site.PersonCredentials(ctx, ada)
	if err != nil || len(listed) != 1 || string(listed[0].ID) != string(made.ID) || listed[0].Type != rp.DeviceBound {
		t.Errorf("listed %+v, %v", listed, err)
	}
	if _, err := site.SignIn(ctx, ada, key); !isUnsupported(err) {
		t.Errorf("sign-in: %v", err)
	}
	if err := admin.RevokeSessions(ctx, ada); err != nil || core.Latest(1)[0].Action != "revoke-sessions" {
		t.Errorf("sessions revoked: %v, %+v", err, core.Latest(1))
	}
	if err := admin.RevokeCredentials(ctx, ada); err != nil {
		t.Error(err)
	}
	if listed, err = site.PersonCredentials(ctx, ada); err != nil || len(listed) != 0 {
		t.Errorf("after removal %+v, %v", listed, err)
	}
}

func TestEntraPasses(t *testing.T) {
	var slept time.Duration
	_, site := tenant(t, 0, &slept)
	ctx, admin := t.Context(), site
	ada := rp.Person{Name: site.UserName("ada"), DisplayName: "Ada"}
	if err := admin.AddPerson(ctx, ada); err != nil {
		t.Fatal(err)
	}
	first, err := admin.IssuePass(ctx, ada, time.Hour, true)
	if err != nil || first == "" {
		t.Fatalf("pass %q, %v", first, err)
	}
	if second, err := admin.IssuePass(ctx, ada, time.Hour, false); err != nil || second == first {
		t.Errorf("the second pass: %v", err)
	}
	var no *rp.Refused
	if _, err := admin.IssuePass(ctx, ada, time.Minute, true); !errors.As(err, &no) || no.Code != "badRequest" {
		t.Errorf("a pass for a minute: %v", err)
	}
	if _, err := admin.IssuePass(ctx, rp.Person{Name: "nobody"}, time.Hour, true); !errors.As(err, &no) || no.Code != "Request_ResourceNotFound" || no.Status != 404 {
		t.Errorf("a pass for nobody: %v", err)
	}
}

func TestEntraPolicy(t *testing.T) {
	var slept time.Duration
	_, site := tenant(t, 0, &slept)
	ctx, admin, key := t.Context(), site, browser(t)
	ada := rp.Person{Name: site.UserName("ada"), DisplayName: "Ada", Groups: []string{"staff"}}
	if err := admin.AddPerson(ctx, ada); err != nil {
		t.Fatal(err)
	}
	blocked := rp.Policy{Types: []string{rp.DeviceBound}, BlockedAAGUIDs: []string{"01000000-0000-0000-0000-000000000000"}}
	if err := admin.SetPolicy(ctx, "staff", blocked); err != nil {
		t.Fatal(err)
	}
	var no *rp.Refused
	if _, err := site.Register(ctx, ada, key); !errors.As(err, &no) {
		t.Errorf("a blocked model: %v", err)
	}
	for _, p := range []struct {
		group  string
		policy rp.Policy
	}{{"admins", rp.Policy{RequireAttestation: true}}, {"staff", rp.Policy{Types: []string{rp.DeviceBound, rp.Synced}}}, {"guests", rp.Policy{}}} {
		if err := admin.SetPolicy(ctx, p.group, p.policy); err != nil {
			t.Fatalf("policy of %s: %v", p.group, err)
		}
	}
	if _, err := site.Register(ctx, ada, key); err != nil {
		t.Errorf("once the policy allows it: %v", err)
	}
	if err := admin.SetPolicy(ctx, "more", rp.Policy{}); !errors.As(err, &no) {
		t.Errorf("a fourth profile: %v", err)
	}
	if err := admin.SetPolicy(ctx, "staff", rp.Policy{UserVerification: "required"}); !isUnsupported(err) {
		t.Errorf("a policy on user verification: %v", err)
	}
}
