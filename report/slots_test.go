package report

import (
	"bytes"
	"io"
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

// onSlots is a run on a bench: a scenario that the bench spoilt on one slot and that
// passed on another, and one that failed.
func onSlots() []Event {
	device := func(slot, firmware, beside string) *Scenario {
		return &Scenario{Title: "T", Location: Location{File: "t.yaml", Line: 1}, Attempts: 3, Devices: []Device{
			{Name: "key", Profile: "yubikey-5", Reached: "slot " + slot + ", hidraw /dev/hidraw0", Slot: &Seat{Name: slot, Kind: "key", Model: "yubikey-5", Firmware: firmware, Serial: "4711"}},
			{Name: "phone", Profile: "apple-passwords", Reached: "in process", Beside: beside},
		}}
	}
	broken := &Failure{Message: "slot blue: finger: it did not move", Location: Location{File: "t.yaml", Line: 7}, Device: "key"}
	return []Event{
		{Kind: RunStart, Run: &Run{Title: "bench"}},
		{Kind: ScenarioStart, ScenarioID: "moved", Attempt: 1, Scenario: device("blue", "", "it shares")},
		{Kind: ScenarioEnd, ScenarioID: "moved", Attempt: 1, Scenario: device("blue", "5.4.3", "it shares"), Outcome: Error, Failure: broken},
		{Kind: ScenarioStart, ScenarioID: "moved", Attempt: 2, Scenario: device("red", "", "it shares")},
		{Kind: ScenarioEnd, ScenarioID: "moved", Attempt: 2, Scenario: device("red", "5.7.1", "it shares"), Outcome: Passed},
		{Kind: ScenarioStart, ScenarioID: "wrong", Attempt: 1, Scenario: device("red", "", "")},
		{Kind: ScenarioEnd, ScenarioID: "wrong", Attempt: 1, Scenario: device("red", "5.7.1", ""), Outcome: Failed, Failure: &Failure{Message: "the key is wrong", Location: Location{File: "t.yaml", Line: 9}}},
		{Kind: RunEnd, Run: &Run{Title: "bench", Slots: []SlotUse{
			{Seat: Seat{Name: "blue", Kind: "key", Model: "yubikey-5", Firmware: "5.4.3", Serial: "4711"}, Reached: "hidraw /dev/hidraw0", Used: 1, Before: "suspect", After: "bad", Faults: []string{"slot blue: finger: it did not move"}, SetAside: "three faults"},
			{Seat: Seat{Name: "red", Kind: "key", Model: "yubikey-5", Firmware: "5.7.1"}, Used: 2, Before: "good", After: "good"},
			{Seat: Seat{Name: "idle", Kind: "emulated"}, Before: "good", After: "good"},
		}}},
	}
}

// TestSlotsOfAttempts: every report tells of each attempt in which slots it was, and the
// bench's faults from what keys do wrong.
func TestSlotsOfAttempts(t *testing.T) {
	m := BuildModel(onSlots())
	if got := m.Scenarios[0].Attempts[0].Devices[0].Slot; got.Name != "blue" || got.Firmware != "5.4.3" {
		t.Errorf("the first attempt was on %+v", got)
	}
	for name, c := range map[string]struct {
		write func(io.Writer, *Model) error
		want  []string
		lacks []string
	}{
		"junit": {WriteJUnit, []string{
			`<property name="slot.blue.firmware" value="5.4.3">`, `<property name="slot.blue.serial" value="4711">`,
			`<property name="slot.blue.reached" value="hidraw /dev/hidraw0">`, `<property name="slot.blue.health-after" value="bad">`,
			"<flakyError", "key in slot blue, yubikey-5, firmware 5.4.3, serial 4711, hidraw /dev/hidraw0",
			"attempt 2&#xA;    key in slot red, yubikey-5, firmware 5.7.1", "phone beside the slots: it shares",
			`<failure message="t.yaml:9: the key is wrong" type="failed">`, `failures="1" errors="0"`,
		}, []string{"slot.idle", "<flakyFailure"}},
		"annotations": {WriteAnnotations, []string{
			"::warning file=t.yaml,line=7,title=T%3A passed on attempt 2 of 3::", "key in slot blue", "::error file=t.yaml,line=9,",
			"::warning title=Slot blue is set aside after 1 fault::three faults",
		}, []string{"Slot red"}},
		"summary": {WriteMarkdown, []string{"| blue | yubikey-5, firmware 5.4.3, serial 4711 | 1 | suspect → bad | 1 fault, set aside |"}, nil},
		"page": {WriteHTML, []string{
			`<a class="seat" href="#slot%3ared">slot red</a>`, `id="slot:blue"`, `title="T, attempt 1: error"`, "beside the slots",
			`<span class="health suspect">suspect</span> &#8594; <span class="health bad">bad</span>`, "not used",
		}, []string{"ZgotmplZ"}},
	} {
		var b bytes.Buffer
		if err := c.write(&b, m); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
		for _, not := range c.lacks {
			if strings.Contains(b.String(), not) {
				t.Errorf("%s has %q", name, not)
			}
		}
	}
}

// TestVerdictOfMoves: that attempts ended in different ways is not glossed over.
func TestVerdictOfMoves(t *testing.T) {
	for _, c := range []struct {
		outcomes []Outcome
		allowed  int
		want     string
	}{
		{[]Outcome{Error, Failed}, 2, "failed on attempt 2 of 2"},
		{[]Outcome{Failed, Failed}, 2, "failed on both attempts"},
		{[]Outcome{Error, Error, Error}, 3, "error on all 3 attempts"},
		{[]Outcome{Failed}, 1, "failed"},
		{[]Outcome{Error, Passed}, 3, "passed on attempt 2 of 3"},
	} {
		s := &ScenarioResult{Scenario: Scenario{Attempts: c.allowed}}
		for i, o := range c.outcomes {
			s.Attempts = append(s.Attempts, &Attempt{Number: i + 1, Outcome: o})
		}
		if got := s.verdict(); got != c.want {
			t.Errorf("%v of %d: %q, want %q", c.outcomes, c.allowed, got, c.want)
		}
	}
}
