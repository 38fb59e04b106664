package scenarios

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"fido-emu/report"
)

// runAll runs sources and returns the events as JSON lines, and as events.
func runAll(t *testing.T, sources []Source, o Options) (events []report.Event) {
	t.Helper()
	g, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	all, err := Load(sources, g)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	stream := report.NewStream(time.Now, report.NewJSONL(&b))
	if _, err := Run(context.Background(), all, o, stream); err != nil {
		t.Error(err)
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	events, err = report.ReadAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestLibraryPasses(t *testing.T) {
	began := time.Now()
	for _, e := range runAll(t, withoutWire(t), Options{Title: "library"}) {
		if e.Kind == report.ScenarioEnd && e.Outcome != report.Passed {
			t.Errorf("%s: %s %s %+v", e.ScenarioID, e.Outcome, e.Text, e.Failure)
		}
	}
	t.Logf("the library took %v", time.Since(began))
}

// TestSameSeedSameEvents compares two runs byte by byte, times aside.
func TestSameSeedSameEvents(t *testing.T) {
	sources, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(7)
	run := func() []string {
		var lines []string
		for _, e := range runAll(t, sources, Options{Title: "library", Seed: &seed}) {
			e.Time, e.Duration = time.Time{}, 0
			line, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
		}
		return lines
	}
	first, second := run(), run()
	if len(first) != len(second) {
		t.Fatalf("%d events, then %d", len(first), len(second))
	}
	different := 0
	for i := range first {
		if first[i] != second[i] {
			if different++; different < 4 {
				t.Errorf("event %d:\n%s\n%s", i+1, first[i], second[i])
			}
		}
	}
}

// TestEveryOtherStep runs what the library does not.
func TestEveryOtherStep(t *testing.T) {
	sources, err := Sources([]string{"testdata"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range runAll(t, sources, Options{Title: "steps"}) {
		if e.Kind == report.ScenarioEnd && e.Outcome != report.Passed {
			t.Errorf("%s: %s %s %+v", e.ScenarioID, e.Outcome, e.Text, e.Failure)
		}
	}
}

// TestSecretsStayOut looks for PINs, passcodes and passes in what a run tells.
func TestSecretsStayOut(t *testing.T) {
	source := `title: Secrets
people: {ada: }
accounts: {cloud: }
devices:
  key: {profile: security-key, pin: "471100"}
  phone: {profile: passkey-provider, account: cloud, passcode: "112233"}
steps:
  - {register: ada, with: key, pin: "471100"}
  - {change-pin: key, from: "471100", to: "815815"}
  - {fail-pin: key, pin: "909090"}
  - {redeem-pass: ada, pass: SECR-ETXX-PASS, expect: refused}
  - {set-passcode: phone, to: "445566"}
  - {sign-in: ada, with: key, pin: "86421357", expect: refused}
`
	seed := uint64(1)
	events := runAll(t, []Source{{File: "s.yaml", ID: "s", Text: []byte(source)}}, Options{Title: "secrets", Seed: &seed})
	told, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"471100", "112233", "815815", "909090", "SECR-ETXX-PASS", "445566", "86421357"} {
		if bytes.Contains(told, []byte(secret)) {
			t.Errorf("%s is in the events", secret)
		}
	}
	if last := events[len(events)-1]; last.Outcome != report.Passed {
		t.Errorf("%+v", last)
	}
}
