package metadata

import (
	"slices"
	"testing"

	"fido-emu/ctap/conformance"
	"fido-emu/fixtures"
	"fido-emu/fixtures/bench"
	"fido-emu/fixtures/bench/suitetest"
)

func TestProfilesPass(t *testing.T) { suitetest.Passes(t, Group()) }

func emulate(t *testing.T, profile string, seed uint64) *bench.Emulated {
	t.Helper()
	p, err := fixtures.Lookup(profile)
	if err != nil {
		t.Fatal(err)
	}
	e, err := bench.Emulate(t.Context(), p, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// TestStatementOfAnotherModel sees that a statement that is not the authenticator's is
// noticed, by the cases about what differs.
func TestStatementOfAnotherModel(t *testing.T) {
	other := modelStatement(t, "biometric-key", 1)
	other.Roots, other.MultiDevice = modelStatement(t, "biometric-key", 2).Roots, "implicit"
	report, err := conformance.Execute(t.Context(), emulate(t, "yubikey-5", 1), Group().Cases, conformance.Options{
		Rand: bench.NewRand(2), AllowDestructive: true, Statement: other,
	})
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, r := range report.Results {
		if r.Outcome == conformance.Failed {
			failed = append(failed, r.ID)
		}
	}
	for _, id := range []string{
		"aaguid", "aaguid.credential", "upv", "authenticatorVersion", "getInfo.versions", "getInfo.options", "getInfo.aaguid",
		"getInfo.maxCredentialIdLength", "attestation.root", "attestation.u2f.root", "uv.built-in", "extensions", "multi-device",
	} {
		if !slices.Contains(failed, "metadata."+id) {
			t.Errorf("metadata.%s does not notice that the statement is another model's", id)
		}
	}
}

// modelStatement returns the statement of an emulated model.
func modelStatement(t *testing.T, profile string, seed uint64) *conformance.Statement {
	t.Helper()
	text, err := emulate(t, profile, seed).Statement()
	if err != nil {
		t.Fatal(err)
	}
	s, err := conformance.ParseStatement(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
