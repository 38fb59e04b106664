package report

import (
	"strings"
	"testing"
)

// TestCoverage: a rule has the worst outcome of its scenarios, and the page shows it.
func TestCoverage(t *testing.T) {
	run := Run{Rules: []Rule{
		{ID: "kept", Group: "One", Text: "Holds."}, {ID: "broken", Group: "One", Text: "Does not."},
		{ID: "later", Group: "Two", Text: "Some day.", NotYet: "nobody can"},
	}}
	events := []Event{{Kind: RunStart, Run: &run}}
	for id, o := range map[string]Outcome{"a": Passed, "b": Failed} {
		covers := []string{"broken"}
		if o == Passed {
			covers = append(covers, "kept")
		}
		events = append(events,
			Event{Kind: ScenarioStart, ScenarioID: id, Scenario: &Scenario{ID: id, Title: id, Covers: covers}},
			Event{Kind: ScenarioEnd, ScenarioID: id, Outcome: o})
	}
	m := BuildModel(events)
	groups := newPageView(m).Coverage
	if len(groups) != 2 || len(groups[0].Rules) != 2 {
		t.Fatalf("groups %+v", groups)
	}
	kept, broken, later := groups[0].Rules[0], groups[0].Rules[1], groups[1].Rules[0]
	if kept.Outcome != Passed || len(kept.Scenarios) != 1 || broken.Outcome != Failed || len(broken.Scenarios) != 2 || later.Outcome != Skipped {
		t.Errorf("kept %s %d, broken %s %d, later %s", kept.Outcome, len(kept.Scenarios), broken.Outcome, len(broken.Scenarios), later.Outcome)
	}
	var page strings.Builder
	if err := WriteHTML(&page, m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "not yet covered: nobody can") {
		t.Error("the page does not say why a rule is not covered yet")
	}
	m.Run.Rules = run.Rules[2:]
	if newPageView(m).Coverage != nil {
		t.Error("rules that no scenario shows are listed")
	}
}
