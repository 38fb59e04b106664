package scenarios

import (
	"regexp"
	"testing"

	"fido-emu/report"
	"fido-emu/rp/web"
	"fido-emu/scenarios/world"
)

// beyondDescriptions is why a scenario is skipped that needs what no description can
// say: sign-ins of several steps, and where they come from.
var beyondDescriptions = regexp.MustCompile("does not offer (signing in without a passkey|administration of methods|Conditional Access)$")

// TestLibraryOverHTTP runs the library against the reference relying party over HTTP,
// by way of its description: every scenario passes, as in process, that can be described.
func TestLibraryOverHTTP(t *testing.T) {
	d, err := web.Load("../rp/web/descriptions/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &world.Elsewhere{Description: d, Getenv: func(string) string { return "" }}
	ended := 0
	for _, e := range runAll(t, withoutWire(t), Options{Title: "library", RP: elsewhere}) {
		if e.Kind != report.ScenarioEnd {
			continue
		}
		ended++
		if e.Outcome == report.Skipped && beyondDescriptions.MatchString(e.Text) {
			continue
		}
		if e.Outcome != report.Passed {
			t.Errorf("%s: %s %s %+v", e.ScenarioID, e.Outcome, e.Text, e.Failure)
		}
	}
	if ended == 0 {
		t.Error("no scenario was run")
	}
}
