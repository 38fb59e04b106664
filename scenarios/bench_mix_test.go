package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fido-emu/fixtures/slots/health"
	"fido-emu/fixtures/slots/strategy"
	"fido-emu/report"
	"fido-emu/scenarios/world"
)

// mixed has a key of another program, an emulated one, a computer with a TPM, a phone on
// a sync account, and a second phone for which there is no slot.
const mixed = `title: Mixed
people: {ada: }
accounts: {cloud: }
devices:
  outside: {profile: yubikey-5, pin: "4711", tags: [outside]}
  key: {profile: security-key}
  laptop: {profile: windows-hello}
  phone: {profile: apple-passwords, account: cloud}
  tablet: {profile: apple-passwords}
steps:
  - {register: ada, with: outside}
  - {register: ada, with: key}
  - {register: ada, with: laptop, save: at-desk}
  - {register: ada, with: phone, save: on-the-road}
  - {register: ada, with: tablet}
  - {power-cycle: key}
  - {power-cycle: phone}
  - {sign-in: ada, with: outside}
  - {sign-in: ada, with: key}
  - {sign-in: ada, with: laptop}
  - {sign-in: ada, with: phone}
  - {sign-in: ada, with: tablet}
  - {expect: laptop, passkeys: 1}
  - {rename: "${on-the-road}", to: Ada L., on: phone}
  - {expect: "${on-the-road}", on: phone, shown-as: Ada L.}
  - {delete: "${at-desk}", on: laptop}
  - {expect: laptop, passkeys: 0}
`

// pinFile returns a file that holds realPIN.
func pinFile(t *testing.T) string {
	t.Helper()
	pin := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(pin, []byte(realPIN), 0o600); err != nil {
		t.Fatal(err)
	}
	return pin
}

// mixedBench is a bench with a slot of every kind.
func mixedBench(t *testing.T, f *foreign) *testBench {
	t.Helper()
	return newTestBench(t, `
  outside: {key: {udp: "`+strings.TrimPrefix(f.address, "udp:")+`", model: yubikey-5}, tags: [outside], finger: person, power: none, pin: {file: `+pinFile(t)+`}}
  inside: {emulate: security-key}
  computer: {tpm: simulated}
  handheld: {keychain: apple-passwords}
`)
}

// seats tells of the devices of a scenario that ended in which slots they were, or how
// they were reached in none.
func seats(events []report.Event) map[string]string {
	all := map[string]string{}
	for _, e := range events {
		if e.Kind != report.ScenarioEnd {
			continue
		}
		for _, d := range e.Scenario.Devices {
			if all[d.Name] = d.Reached + ", beside: " + d.Beside; d.Slot != nil {
				all[d.Name] = d.Slot.Kind + " " + d.Slot.Name + " " + d.Slot.Firmware
			}
		}
	}
	return all
}

// TestBenchMixed: slots of every kind take part in one scenario, and nothing of it is left
// in any of them.
func TestBenchMixed(t *testing.T) {
	f := newForeign(t, nil)
	b := mixedBench(t, f)
	for range 2 { // what the first leaves does not disturb the second
		events := runAll(t, []Source{{File: "mixed.yaml", ID: "mixed", Text: []byte(mixed)}}, b.options(nil))
		for _, e := range events {
			if e.Kind == report.ScenarioEnd && e.Outcome != report.Passed {
				t.Fatalf("%s %s %+v", e.Outcome, e.Text, e.Failure)
			}
		}
		got := seats(events)
		for device, want := range map[string]string{
			"outside": "key outside 5.4.3", "key": "emulated inside 1", "laptop": "tpm computer ", "phone": "keychain handheld ",
			"tablet": "in process, beside: the slots with the model apple-passwords are those of other devices",
		} {
			if got[device] != want {
				t.Errorf("%s: %s, want %s", device, got[device], want)
			}
		}
	}
	if n, err := f.store.Count(); n != 0 || err != nil {
		t.Errorf("%d passkeys are left on the key of another program: %v", n, err)
	}
	for name, s := range b.after() {
		if s.Holder != nil || s.Health.Grade != health.Good || !s.Key.Known() {
			t.Errorf("slot %s: %+v", name, s)
		}
	}
	for _, slot := range []string{"computer", "handheld"} {
		if s := b.after()[slot]; s.Key != (strategy.State{Stage: strategy.Blank}) {
			t.Errorf("slot %s is %s", slot, s.Key)
		}
		stand, err := b.open(t.Context(), slot, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := stand.(world.Shelved).Credentials().Count(); n != 0 || err != nil {
			t.Errorf("slot %s holds %d passkeys: %v", slot, n, err)
		}
		if err := stand.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestBenchEvidence: a scenario that goes wrong leaves as much from slots as from anywhere
// else, whatever sits in them: messages in words, also of how slots were made ready, and
// a capture of each wire from its first report on.
func TestBenchEvidence(t *testing.T) {
	f := newForeign(t, nil)
	o := mixedBench(t, f).options(nil)
	o.Reports = t.TempDir()
	wrong := mixed + "  - {expect: phone, passkeys: 7}\n"
	events := runAll(t, []Source{{File: "mixed.yaml", ID: "mixed", Text: []byte(wrong)}}, o)
	for _, e := range events {
		if e.Kind == report.ScenarioEnd && e.Outcome != report.Failed {
			t.Fatalf("%s %s %+v", e.Outcome, e.Text, e.Failure)
		}
	}
	dir := filepath.Join(o.Reports, "evidence", "mixed-1")
	for _, device := range []string{"outside", "key", "laptop", "phone"} {
		capture, err := os.ReadFile(filepath.Join(dir, device+".pcapng"))
		if err != nil {
			t.Error(err)
		}
		for _, command := range []string{"CTAPHID_INIT", "CTAPHID_CBOR"} {
			if !strings.Contains(string(capture), command) {
				t.Errorf("the capture of %s lacks %s", device, command)
			}
		}
	}
	messages, err := os.ReadFile(filepath.Join(dir, "messages.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Slots are made ready", "outside authenticatorMakeCredential", "laptop authenticatorMakeCredential", "key authenticatorGetInfo",
		"failed: ", "Before the steps",
	} {
		if !strings.Contains(string(messages), want) {
			t.Errorf("the messages lack %q", want)
		}
	}
	if strings.Contains(string(messages), realPIN) {
		t.Error("the PIN of a slot is in the messages")
	}
}

// TestBenchFingers: an emulated key with fingers enrolled keeps them, and nothing else.
func TestBenchFingers(t *testing.T) {
	b := newTestBench(t, "\n  bio: {emulate: biometric-key}\n")
	for range 2 {
		for _, e := range runAll(t, []Source{oneKey("a", "profile: biometric-key")}, b.options(nil)) {
			if e.Kind == report.ScenarioEnd && e.Outcome != report.Passed || e.Kind == report.Note {
				t.Errorf("%s %s %+v", e.Outcome, e.Text, e.Failure)
			}
		}
		if s := b.after()["bio"]; s.Key != (strategy.State{Stage: strategy.Blank}) {
			t.Errorf("the key is %s", s.Key)
		}
	}
	stand, err := b.open(t.Context(), "bio", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := stand.(world.Shelved).Credentials().Count(); n != 0 || err != nil {
		t.Errorf("%d passkeys are left: %v", n, err)
	}
	if err := stand.Close(); err != nil {
		t.Error(err)
	}
}

// TestBenchPlatformFault: what the slot of a phone does wrong is the bench's fault; the
// scenario is tried again without it, and says so. A scenario with a phone alone runs
// where that has a slot.
func TestBenchPlatformFault(t *testing.T) {
	b := newTestBench(t, `
  inside: {emulate: security-key}
  handheld: {keychain: apple-passwords, finger: {emulator: {fails: after 0}}}
  computer: {tpm: simulated}
`)
	both := "title: Both\npeople: {ada: }\ndevices: {key: {profile: security-key}, phone: {profile: apple-passwords}}\nsteps:\n  - {register: ada, with: phone}\n  - {sign-in: ada, with: phone}\n"
	alone := "title: Alone\npeople: {ada: }\ndevices: {laptop: {profile: windows-hello}}\nsteps:\n  - {register: ada, with: laptop}\n"
	events := runAll(t, []Source{
		{File: "both.yaml", ID: "both", Text: []byte(both)}, {File: "alone.yaml", ID: "alone", Text: []byte(alone)},
	}, b.options(nil))
	var got []string
	for _, e := range events {
		if e.Kind == report.ScenarioEnd {
			d := e.Scenario.Devices[len(e.Scenario.Devices)-1]
			got = append(got, e.ScenarioID+" "+string(e.Outcome)+" "+d.Reached+" "+d.Beside)
		}
	}
	slices.Sort(got)
	want := []string{
		"alone passed slot computer, TPM, simulated ",
		"both error slot handheld, sync account of its own, profile apple-passwords ",
		"both passed in process slot handheld went wrong in an earlier attempt",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s := b.after()["handheld"]; s.Health.Grade != health.Suspect {
		t.Errorf("the slot is %s", s.Health.Grade)
	}
}

// TestBenchAttestation: emulated authenticators in slots are attested to by authorities
// of their own, and are trusted where they are of the model of the device.
func TestBenchAttestation(t *testing.T) {
	if underRace {
		t.Skip("only some scenarios of the library run under the race detector")
	}
	b := newTestBench(t, "\n  blue: {emulate: yubikey-5}\n  next: {emulate: post-quantum-key}\n  old: {emulate: ctap20-key}\n  computer: {tpm: simulated}\n")
	sources, err := Sources([]string{"basics/windows-hello", "policy/attestation-by-metadata"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range runAll(t, sources, b.options(nil)) {
		if e.Kind == report.ScenarioEnd {
			got[e.ScenarioID] = string(e.Outcome) + " " + e.Text
			for _, d := range e.Scenario.Devices {
				if d.Slot != nil {
					got[e.ScenarioID] += " " + d.Name + " in " + d.Slot.Name
				}
			}
		}
	}
	for id, want := range map[string]string{
		"basics/windows-hello":                                "passed  laptop in computer",
		"policy/attestation-by-metadata[model=windows-hello]": "passed  known in computer stranger in next by-itself in old",
		"policy/attestation-by-metadata[model=yubikey-5]":     "passed  known in blue stranger in next by-itself in old",
		"policy/attestation-by-metadata[model=biometric-key]": "trusts none but that of emulated devices",
	} {
		if !strings.Contains(got[id], want) {
			t.Errorf("%s: %s, want %s", id, got[id], want)
		}
	}
}
