package extensions

import (
	"testing"

	"fido-emu/ctap/conformance"
	"fido-emu/fixtures"
	"fido-emu/fixtures/bench/suitetest"
)

func TestProfilesPass(t *testing.T) {
	for _, g := range Groups() {
		t.Run(g.Name, func(t *testing.T) { suitetest.Passes(t, g) })
	}
}

// TestEveryExtension runs every group on a model that has its extension, most of which
// the models of suitetest have not.
func TestEveryExtension(t *testing.T) {
	for model, added := range map[string][]string{"ctap23-key": {"uvm"}, "apple-passwords": {"thirdPartyPayment", "uvm"}} {
		p, err := fixtures.Lookup(model)
		if err != nil {
			t.Fatal(err)
		}
		extended := *p
		extended.Extensions = append(extended.Extensions[:len(extended.Extensions):len(extended.Extensions)], added...)
		for _, g := range Groups() {
			t.Run(model+"/"+g.Name, func(t *testing.T) { allPass(t, &extended, g) })
		}
	}
}

func allPass(t *testing.T, p *fixtures.Profile, g conformance.Group) {
	for _, r := range suitetest.RunProfile(t, p, g.Cases).Results {
		if r.Outcome != conformance.Passed && r.Outcome != conformance.NotApplicable {
			t.Errorf("%s: %s %s\n%s", r.ID, r.Outcome, r.Reason, suitetest.Explain(&r))
		}
	}
}
