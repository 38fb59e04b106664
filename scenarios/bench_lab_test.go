package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/ctap/authenticator"
	"fido-emu/report"
)

// TestLabBenchEvidence: a scenario that goes wrong on a key behind hidraw leaves what was
// said to it and a capture of its wire, and nothing on the key.
func TestLabBenchEvidence(t *testing.T) {
	lab(t)
	s := &slot{t: t, key: newForeign(t, func(*authenticator.Profile) {}), serial: "lab-1"}
	s.putIn()
	defer s.pullOut()
	pin := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(pin, []byte(realPIN), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newTestBench(t, "\n  real: {key: {serial: lab-1, model: yubikey-5}, finger: person, power: none, pin: {file: "+pin+"}}\n")
	o := b.options(nil)
	o.Reports = t.TempDir()
	source := oneKey("wrong", "profile: yubikey-5, pin: '4711'")
	source.Text = []byte(strings.Replace(string(source.Text), "{power-cycle: key}", "{expect: key, passkeys: 7}", 1))
	events := runAll(t, []Source{source}, o)
	for _, e := range events {
		if e.Kind == report.ScenarioEnd && (e.Outcome != report.Failed || !strings.Contains(e.Scenario.Devices[0].Where(), "hidraw /dev/hidraw")) {
			t.Errorf("%s %q %+v, reached %+v", e.Outcome, e.Text, e.Failure, e.Scenario.Devices[0])
		}
	}
	dir := filepath.Join(o.Reports, "evidence", "wrong-1")
	for file, wants := range map[string][]string{
		"key.pcapng":   {"CTAPHID_INIT", "CTAPHID_CBOR"},
		"messages.txt": {"Slots are made ready", "authenticatorMakeCredential", "failed: "},
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s lacks %q", file, want)
			}
		}
	}
	if n, err := s.key.store.Count(); n != 0 || err != nil {
		t.Errorf("%d passkeys are left: %v", n, err)
	}
}
