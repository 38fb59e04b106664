package report

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRecoveries(t *testing.T) {
	run := &Run{Title: "t", Scenarios: 2}
	events := []Event{{Kind: RunStart, Run: run}}
	for id, list := range [][]Recovery{{
		{Way: SelfService, Person: "ada", Outcome: Started},
		{Way: SelfService, Person: "ada", Outcome: Refused, Refused: "name-mismatch", Took: time.Hour},
		{Way: Helpdesk, Person: "ada", Outcome: Started},
		{Way: Helpdesk, Person: "ada", Outcome: Recovered, Took: 5 * time.Minute},
	}, {
		{Way: SelfService, Person: "bob", Outcome: Started},
		{Way: SelfService, Person: "bob", Outcome: Refused, Refused: "provider-unavailable"},
		{Way: SelfService, Person: "bob", Outcome: Started},
		{Way: SelfService, Person: "bob", Outcome: Refused, Refused: "name-mismatch"},
		{Way: SelfService, Person: "bob", Outcome: Started},
		{Way: SelfService, Person: "bob", Outcome: Recovered, Took: 90 * time.Second},
		{Way: SelfService, Person: "cyd", Outcome: Started},
		{Way: SelfService, Person: "cyd", Outcome: Verified, Took: 30 * time.Second},
		{Way: SelfService, Person: "cyd", Outcome: Started},
		{Way: Helpdesk, Person: "cyd", Outcome: Started},
	}} {
		sc := &Scenario{ID: string(rune('a' + id)), Title: "a"}
		events = append(events, Event{Kind: ScenarioStart, ScenarioID: sc.ID, Attempt: 1, Scenario: sc})
		for _, r := range list {
			events = append(events, Event{Kind: RecoveryEvent, ScenarioID: sc.ID, Attempt: 1, Recovery: &r})
		}
		events = append(events, Event{Kind: ScenarioEnd, ScenarioID: sc.ID, Attempt: 1, Outcome: Passed})
	}
	m := BuildModel(append(events, Event{Kind: RunEnd, Run: run, Outcome: Passed}))
	want := []WayBack{
		{Way: SelfService, Started: 6, Recovered: 1, Verified: 1, Refused: 3, Reasons: []Reason{{"name-mismatch", 2}, {"provider-unavailable", 1}}, Median: 90 * time.Second},
		{Way: Helpdesk, Started: 2, Recovered: 1, Median: 5 * time.Minute},
	}
	got, handedOn := m.Recoveries()
	if !reflect.DeepEqual(got, want) || handedOn != 1 || got[0].Open() != 1 {
		t.Errorf("got %+v, %d handed on", got, handedOn)
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<td data-label="started">6</td><td data-label="recovered">1</td><td data-label="verified only">1</td><td data-label="refused">3</td><td data-label="left open">1</td><td data-label="median time">90.0 s</td>`,
		`<code>name-mismatch</code>&#160;2, <code>provider-unavailable</code>&#160;1`, "1 case that self-service refused",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
