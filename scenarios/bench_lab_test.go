package scenarios

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap/authenticator"
	"fido-emu/report"
	"fido-emu/tpmsim"
)

// TestLabBenchEvidence: a scenario that goes wrong on a key behind hidraw leaves what was
// said to it and a capture of its wire, and nothing on the key.
func TestLabBenchEvidence(t *testing.T) {
	lab(t)
	s := &slot{t: t, key: newForeign(t, func(*authenticator.Profile) {}), serial: "lab-1"}
	s.putIn()
	defer s.pullOut()
	pin := pinFile(t)
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

// TestLabBenchMixed: a key of the kernel's, the TPM of the machine, an emulated key and a
// phone take part in one scenario.
func TestLabBenchMixed(t *testing.T) {
	lab(t)
	plugTPM(t)
	s := &slot{t: t, key: newForeign(t, func(*authenticator.Profile) {}), serial: "lab-1"}
	s.putIn()
	defer s.pullOut()
	b := newTestBench(t, `
  outside: {key: {serial: lab-1, model: yubikey-5}, tags: [outside], finger: person, power: none, pin: {file: `+pinFile(t)+`}}
  inside: {emulate: security-key}
  computer: {tpm: /dev/tpmrm0}
  handheld: {keychain: apple-passwords}
`)
	events := runAll(t, []Source{{File: "mixed.yaml", ID: "mixed", Text: []byte(mixed)}}, b.options(nil))
	for _, e := range events {
		if e.Kind != report.ScenarioEnd {
			continue
		}
		if e.Outcome != report.Passed {
			t.Errorf("%s %s %+v", e.Outcome, e.Text, e.Failure)
		}
		for _, d := range e.Scenario.Devices {
			t.Logf("%s: %s", d.Name, d.Reached)
			if d.Name == "laptop" && d.Where() != "TPM at /dev/tpmrm0" {
				t.Errorf("the laptop was reached %q", d.Reached)
			}
		}
	}
	for name, kept := range b.after() {
		if !kept.Key.Known() {
			t.Errorf("slot %s is %s", name, kept.Key)
		}
	}
}

// plugTPM gives this machine a TPM until the test ends: swtpm behind vtpm_proxy.
func plugTPM(t *testing.T) {
	t.Helper()
	chip := exec.Command("swtpm", "chardev", "--vtpm-proxy", "--tpm2", "--tpmstate", "dir="+t.TempDir())
	chip.Stderr = os.Stderr
	if err := chip.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		_ = chip.Process.Kill() // as pulling a chip out
		_ = chip.Wait()
	})
	for range 200 {
		if tpm, err := tpmsim.Open(t.Context(), tpmsim.Options{Backend: tpmsim.Device}); err == nil {
			if err := tpm.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		<-time.After(25 * time.Millisecond) // a driver of the kernel comes up in real time
	}
	t.Fatal("no TPM comes up")
}
