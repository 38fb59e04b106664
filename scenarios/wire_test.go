package scenarios

import (
	"strings"
	"testing"

	"fido-emu/report"
)

// TestWireScenarios runs the scenarios about the wire on one, and sees them skipped,
// with what to do, where there is none.
func TestWireScenarios(t *testing.T) {
	sources, err := Sources([]string{"wire"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range runAll(t, sources, Options{Title: "wire"}) {
		if e.Kind == report.ScenarioEnd && (e.Outcome != report.Skipped || !strings.Contains(e.Text, "run --via pipe")) {
			t.Errorf("%s in process: %s %s", e.ScenarioID, e.Outcome, e.Text)
		}
	}
	for _, way := range ways {
		for _, e := range runAll(t, sources, Options{Title: "wire", Via: parseWay(t, way)}) {
			if e.Kind == report.StepEnd && e.Outcome != report.Passed {
				t.Errorf("%s via %s, step %d %s: %s %+v", e.ScenarioID, way, e.StepIndex, e.Step.Text, e.Outcome, e.Failure)
			}
		}
	}
}

// TestUnexpectedOnTheWire tells a key that is pulled out, which is the bench's fault,
// from one that breaks the rules.
func TestUnexpectedOnTheWire(t *testing.T) {
	const text = `title: Unexpected
people: {ada: }
devices: {key: {profile: security-key, pin: "4711"}}
steps:
  - {disturb: key, kind: KIND}
  - {register: ada, with: key}
`
	for kind, want := range map[string]report.Outcome{
		"unplug": report.Error, "wrong-sequence": report.Failed, "duplicate": report.Failed,
	} {
		source := Source{File: "u.yaml", ID: "u", Text: []byte(strings.ReplaceAll(text, "KIND", kind))}
		for _, e := range runAll(t, []Source{source}, Options{Title: "unexpected", Via: parseWay(t, "pipe")}) {
			if e.Kind == report.ScenarioEnd && e.Outcome != want {
				t.Errorf("%s: %s, want %s: %+v", kind, e.Outcome, want, e.Failure)
			}
		}
	}
}
