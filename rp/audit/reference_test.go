package audit_test

import (
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"

	"fido-emu/attestation"
	"fido-emu/attestation/metadata"
	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/identity/loop"
	"fido-emu/rp"
	"fido-emu/rp/audit"
	"fido-emu/rp/reference"
	"fido-emu/rp/web"
)

const login = "https://login.example.com"

// configuration is one way in which the reference relying party can be set up. What is
// only is attacked; all when it is empty.
type configuration struct {
	name   string
	only   []string
	closed bool // sign-up
	config func(*testing.T, *reference.Config, audit.Options)
	set    func(*reference.Core) error
}

// ceremonies are the attacks that any configuration could let through, statements of
// attestation aside: how those are verified is for no configuration to say.
var ceremonies = except("registration.attestation.")

func except(prefix string) (ids []string) {
	for _, a := range audit.Catalogue() {
		if !strings.HasPrefix(a.ID, prefix) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

var configurations = []configuration{
	{name: "as it is"},
	{name: "attestation required, of a model in the metadata", config: listed},
	{name: "closed sign-up", only: ceremonies, closed: true},
	{name: "ES256 only", only: ceremonies, config: func(_ *testing.T, c *reference.Config, _ audit.Options) {
		c.DefaultPolicy.Algorithms = []string{"ES256"}
	}},
	{name: "user verification required", only: ceremonies, config: func(_ *testing.T, c *reference.Config, _ audit.Options) {
		c.DefaultPolicy.UserVerification = "required"
	}},
	{name: "a profile: device-bound, of one model, attested", set: profiled},
	{name: "methods and Conditional Access", only: ceremonies, set: guarded},
	{name: "recovery", only: ceremonies, set: recoverable},
	{name: "related origins, embedded", only: ceremonies, config: func(_ *testing.T, c *reference.Config, _ audit.Options) {
		c.Origins = append(c.Origins, "https://shop.example.org")
		c.TopOrigins = []string{"https://portal.example.net"}
	}},
}

// listed has the audit's model trusted by a metadata BLOB alone.
func listed(t *testing.T, c *reference.Config, o audit.Options) {
	model := ctap.AAGUID{0xF1, 0xD0, 0xA0, 0xD1, 15: 1}
	info, err := ctap.Encode(ctap.Info{Versions: []string{"FIDO_2_1"}, AAGUID: model[:]})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := metadata.Build([]metadata.Model{{
		AAGUID: model, Title: "Audited", Info: info, Algorithms: []cose.Algorithm{cose.ES256},
		Attestation: []attestation.Type{attestation.Basic}, Roots: []*x509.Certificate{o.Authority.Root()},
	}}, at, 1)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := payload.Sign(o.Authority)
	if err != nil {
		t.Fatal(err)
	}
	c.Metadata, c.MetadataRoots = blob, o.Authority.Pool()
	c.AttestationRoots = nil
	c.DefaultPolicy.RequireAttestation = true
}

func profiled(c *reference.Core) error {
	const id = "00000000-0000-0000-0000-000000000001"
	return c.SetPasskeyProfiles(rp.PasskeyProfiles{Default: id, Profiles: []rp.PasskeyProfile{{
		ID: id, Name: "One model", Types: []string{rp.DeviceBound}, Attestation: rp.AttestationAtRegistration,
		KeyRestrictions: rp.KeyRestrictions{Enforced: true, Kind: rp.AllowModels, AAGUIDs: []string{
			ctap.AAGUID{0xF1, 0xD0, 0xA0, 0xD1, 15: 1}.String(), "00000000-0000-0000-0000-000000000000",
		}},
	}}})
}

func guarded(c *reference.Core) error {
	if err := c.SetMethodPolicy(rp.MethodPolicy{ResetMethods: 2}); err != nil {
		return err
	}
	return c.SetAccessRules([]rp.AccessRule{
		{Name: "passkeys only", Strength: rp.PhishingResistant},
		{Name: "not from there", Locations: []string{"KP"}, Block: true},
	})
}

func recoverable(c *reference.Core) error {
	err := c.EnableRecovery(reference.RecoveryServices{
		Proofing: "https://id.example", ProofingKey: "k", Requests: "https://id.example", RequestsKey: "k",
		Authority: "did:web:id.example:shop", Callback: login, HTTP: loop.New().Client(),
	})
	if err != nil {
		return err
	}
	return c.SetRecoveryPolicy(rp.RecoveryPolicy{Profiles: []rp.RecoveryProfile{{Name: "all", Mode: "production", Providers: []rp.RecoveryProvider{{Name: "idemia"}}}}})
}

// TestReferenceAsItCanBe audits the reference relying party in every configuration, in
// process and over HTTP as its description has it: nothing is accused.
func TestReferenceAsItCanBe(t *testing.T) {
	for _, c := range configurations {
		t.Run(c.name+", in process", func(t *testing.T) {
			if c.config == nil && c.set == nil && !c.closed {
				t.Skip("TestReference")
			}
			t.Parallel()
			o := options(t, 1)
			o.Only = c.only
			site := c.local(t, o)
			if c.closed {
				o.Account = audit.Onboard(site)
			}
			nothing(t, site, o)
		})
		t.Run(c.name+", over HTTP", func(t *testing.T) {
			t.Parallel()
			o := options(t, 1)
			if c.config != nil || c.set != nil {
				o.Only = ceremonies
			}
			site := overHTTP(t, c.local(t, o).Core())
			if c.closed {
				o.Account = audit.Onboard(site)
			}
			o.Name = func(purpose string, n int) string { return site.UserName(fmt.Sprint(purpose, n)) }
			nothing(t, site, o)
		})
	}
}

const adminToken = "secret of the administrators"

func (c configuration) local(t *testing.T, o audit.Options) *audit.Local {
	t.Helper()
	change := func(r *reference.Config) {
		r.AdminToken, r.ClosedSignUp = adminToken, c.closed
		if c.config != nil {
			c.config(t, r, o)
		}
	}
	site, err := audit.NewLocal(rand.NewChaCha8([32]byte{2}), now, o.Authority.Pool(), change)
	if err == nil && c.set != nil {
		err = c.set(site.Core())
	}
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func overHTTP(t *testing.T, core *reference.Core) web.Site {
	t.Helper()
	server := httptest.NewServer(reference.Handler(core))
	t.Cleanup(server.Close)
	d, err := web.Load("../web/descriptions/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	site, err := d.Open(t.Context(), web.Options{Run: "audit", Getenv: func(string) string { return "" }, Settings: map[string]string{
		"address": server.URL, "page": login, "domain": "example.com", "admin-token": adminToken,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := site.Close(); err != nil {
			t.Error(err)
		}
	})
	return site
}

// nothing wants nothing accepted or broken, and enough refused for that to mean something.
func nothing(t *testing.T, site rp.RelyingParty, o audit.Options) {
	t.Helper()
	r, err := audit.Run(t.Context(), "reference", site, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range r.Findings() {
		t.Errorf("%s %s (%s): %s", one.Verdict, one.ID, one.Severity, one.Why)
	}
	refused, tolerated := r.Count(audit.Refused), r.Count(audit.Tolerated)
	t.Logf("%d attacks: %d refused, %d tolerated", len(r.Results), refused, tolerated)
	if refused < 230 {
		t.Errorf("only %d were refused", refused)
	}
}
