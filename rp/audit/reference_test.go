package audit_test

import (
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/audit"
	"fido-emu/rp/reference"
)

// TestReferenceAsItCanBe audits the reference relying party in several configurations,
// in process and over HTTP: nothing is accused that was not confirmed in the source.
func TestReferenceAsItCanBe(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*reference.Config)
	}{
		{"attestation required", func(c *reference.Config) { c.DefaultPolicy.RequireAttestation = true }},
		{"closed sign-up", func(c *reference.Config) { c.ClosedSignUp = true }},
		{"ES256 only", func(c *reference.Config) { c.DefaultPolicy.Algorithms = []string{"ES256"} }},
		{"user verification required", func(c *reference.Config) { c.DefaultPolicy.UserVerification = "required" }},
		{"as it is", func(*reference.Config) {}},
	} {
		t.Run(c.name+", in process", func(t *testing.T) {
			o := options(t, 1)
			site, err := audit.NewLocal(rand.NewChaCha8([32]byte{2}), now, o.Authority.Pool(), c.change)
			if err != nil {
				t.Fatal(err)
			}
			nothingElse(t, site, o)
		})
		t.Run(c.name+", over HTTP", func(t *testing.T) {
			o := options(t, 1)
			config := reference.Config{
				RPID: "example.com", Origins: []string{"https://login.example.com"}, AdminToken: "secret of the administrators",
				AttestationRoots: o.Authority.Pool(), PassTries: 100,
			}
			c.change(&config)
			core, err := reference.New(config)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(reference.Handler(core))
			defer server.Close()
			site, err := reference.Dial(server.URL, reference.DialOptions{Origin: "https://login.example.com", AdminToken: config.AdminToken})
			if err != nil {
				t.Fatal(err)
			}
			nothingElse(t, site, o)
		})
	}
}

// nothingElse finds what is accepted beyond what is known, and what broke.
func nothingElse(t *testing.T, site rp.RelyingParty, o audit.Options) {
	t.Helper()
	r, err := audit.Run(t.Context(), "reference", site, o)
	if err != nil {
		o.Account = audit.Onboard(site) // where people cannot sign up
		r, err = audit.Run(t.Context(), "reference", site, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range r.Findings() {
		if one.Verdict == audit.Broken || one.Severity != audit.Low || !slices.Contains(accepted, one.ID) {
			t.Errorf("%s %s (%s): %s", one.Verdict, one.ID, one.Severity, one.Why)
		}
	}
	if n := r.Count(audit.Refused); n < 230 {
		t.Errorf("only %d were refused", n)
	}
}
