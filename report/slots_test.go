package report

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestSlots: the report of a run on a bench tells how its slots fared.
func TestSlots(t *testing.T) {
	slots := []SlotUse{
		{Seat: Seat{Name: "blue", Kind: "key", Model: "yubikey-5", Firmware: "5.4.3", Serial: "4711"}, Tags: []string{"usb-c"}, Used: 3, Before: "good", After: "good", Key: "PIN set"},
		{Seat: Seat{Name: "red", Kind: "emulated"}, Used: 2, Before: "suspect", After: "bad", Key: "unknown", Faults: []string{"finger did not <move>", "again"}, SetAside: "again"},
	}
	if got := slotLine(slots); got != "2 slots, 2 used; red: 2 faults, set aside (bad)" {
		t.Errorf("line %q", got)
	}
	if got := slotLine(nil); got != "" {
		t.Errorf("without a bench %q", got)
	}
	m := BuildModel([]Event{
		{Kind: RunStart, Time: time.Now(), Run: &Run{Title: "bench"}},
		{Kind: RunEnd, Run: &Run{Title: "bench", Slots: slots}},
	})
	var page bytes.Buffer
	if err := WriteHTML(&page, m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h2>Slots of the bench</h2>", "PIN set", "finger did not &lt;move&gt;", "set aside", "yubikey-5"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestPlanOrder: scenarios that ran side by side are listed as planned.
func TestPlanOrder(t *testing.T) {
	m := BuildModel([]Event{
		{Kind: RunStart, Run: &Run{Plan: []Scenario{{ID: "a"}, {ID: "b"}, {ID: "c"}}}},
		{Kind: ScenarioStart, ScenarioID: "c"}, {Kind: ScenarioStart, ScenarioID: "a"},
		{Kind: ScenarioEnd, ScenarioID: "a", Outcome: Passed}, {Kind: ScenarioEnd, ScenarioID: "c", Outcome: Failed},
	})
	var ids []string
	for _, s := range m.Scenarios {
		ids = append(ids, s.ID+" "+string(s.Outcome()))
	}
	if got := strings.Join(ids, ", "); got != "a passed, b aborted, c failed" {
		t.Error(got)
	}
}
