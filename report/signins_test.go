package report

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestMethods(t *testing.T) {
	run := &Run{Title: "t", Scenarios: 1}
	sc := &Scenario{ID: "a", Title: "a"}
	events := []Event{{Kind: RunStart, Run: run}, {Kind: ScenarioStart, ScenarioID: "a", Attempt: 1, Scenario: sc}}
	events = append(events,
		Event{Kind: StepStart, ScenarioID: "a", Attempt: 1, StepIndex: 1, Step: &Step{Verb: "fall-back", Expected: "refused: code-wrong"}},
		Event{Kind: SignInEvent, ScenarioID: "a", Attempt: 1, StepIndex: 1, SignIn: &SignIn{Method: "sms", Steps: 4, Refused: "code-wrong"}},
		Event{Kind: StepEnd, ScenarioID: "a", Attempt: 1, StepIndex: 1, Outcome: Passed})
	for _, s := range []SignIn{
		{Method: "sms", Steps: 4, Took: 3 * time.Second},
		{Method: "sms", Steps: 4, Took: 9 * time.Second},
		{Method: "sms", Steps: 4, Took: time.Second},
		{Method: "sms", Steps: 4, Took: time.Hour, Refused: "code-wrong"},
		{Method: "sms", Steps: 4, Attacker: true},
		{Method: "passkey", Steps: 2, Attacker: true, Refused: "SecurityError"},
	} {
		events = append(events, Event{Kind: SignInEvent, ScenarioID: "a", Attempt: 1, SignIn: &s})
	}
	events = append(events, Event{Kind: ScenarioEnd, ScenarioID: "a", Attempt: 1, Outcome: Passed}, Event{Kind: RunEnd, Run: run, Outcome: Passed})
	m := BuildModel(events)
	want := []MethodUse{
		{Method: "passkey", Steps: 2, Attacks: 1},
		{Method: "sms", Tries: 5, Meant: 1, Success: 75, Median: 3 * time.Second, Steps: 4, Attacks: 1, GotIn: 1},
	}
	if got := m.Methods(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, m); err != nil || !strings.Contains(page.String(), `<th scope="row">sms</th><td data-label="tries">5</td><td data-label="meant refusals">1</td><td data-label="success">75 %</td><td data-label="median time">3.0 s</td>`) {
		t.Errorf("the table is not on the page: %v", err)
	}
}
