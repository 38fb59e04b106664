package scenarios

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/report"
	"fido-emu/scenarios/language"
)

// runAll runs sources and returns the events, by way of JSON lines.
func runAll(t *testing.T, sources []Source, o Options) []report.Event {
	t.Helper()
	events, err := runSources(sources, o)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func runSources(sources []Source, o Options) ([]report.Event, error) {
	g, err := Grammar()
	if err != nil {
		return nil, err
	}
	all, err := Load(sources, g)
	if err != nil {
		return nil, err
	}
	if underRace {
		all = thinned(all)
	}
	var b bytes.Buffer
	stream := report.NewStream(time.Now, report.NewJSONL(&b))
	_, err = Run(context.Background(), all, o, stream)
	if err := errors.Join(err, stream.Close()); err != nil {
		return nil, err
	}
	return report.ReadAll(&b)
}

// thinned leaves the first variant of every third scenario of the library, chosen by its
// name, and of those that are about documents and faces of every ninth: the race
// detector looks at the code, and whether the library passes is seen without it.
func thinned(all []*language.Scenario) (some []*language.Scenario) {
	files := map[string]bool{}
	for _, s := range all {
		name := s.At.File
		share := uint32(3)
		switch {
		case !strings.HasPrefix(name, "scenarios/library/"):
			share = 1
		case slices.Contains(s.Labels, "identity"):
			share = 9
		}
		if files[name] && share > 1 || crc32.ChecksumIEEE([]byte(name))%share != 0 {
			continue
		}
		files[name] = true
		some = append(some, s)
	}
	return some
}

// inProcess is a run of the whole library in process, with the seed 7: one for all tests
// that hold another run against it. They change nothing in it.
var inProcess = sync.OnceValues(func() ([]report.Event, error) {
	sources, err := Library()
	if err != nil {
		return nil, err
	}
	seed := uint64(7)
	return runSources(sources, Options{Title: "library", Seed: &seed})
})

func libraryInProcess(t *testing.T) []report.Event {
	t.Helper()
	events, err := inProcess()
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// deviceless chooses scenarios that are about what proves who somebody is and hardly
// about authenticators: hundreds of pictures, and a passkey or none at the end.
const deviceless = "identity && !(security-key || sync || tpm)"

// aboutDevices leaves out what would take much time and show little on another
// transport: scenarios in which devices play no part, and those that are only there on a
// wire.
func aboutDevices(t *testing.T) (rest []Source) {
	t.Helper()
	g, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range withoutWire(t) {
		all, err := Load([]Source{s}, g)
		if err != nil {
			t.Fatal(err)
		}
		left, err := Select(all, Selection{Filter: deviceless})
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			rest = append(rest, s)
		}
	}
	return rest
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
	lines := func(events []report.Event) (lines []string) {
		for _, e := range events {
			e.Time, e.Duration = time.Time{}, 0
			line, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
		}
		return lines
	}
	first, second := lines(libraryInProcess(t)), lines(runAll(t, sources, Options{Title: "library", Seed: &seed}))
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
