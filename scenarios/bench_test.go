package scenarios

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fido-emu/fixtures/reach"
	"fido-emu/fixtures/slots"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/health"
	"fido-emu/fixtures/slots/station"
	"fido-emu/fixtures/slots/strategy"
	"fido-emu/report"
)

// testBench is a bench of emulated slots, with its state in a folder of the test.
type testBench struct {
	t    *testing.T
	spec *slots.Bench
	desk *desk.Desk
	open func(context.Context, string, reach.Ear) (Stand, error)
}

func newTestBench(t *testing.T, slotLines string) *testBench {
	t.Helper()
	text := "bench: {name: test, state: " + t.TempDir() + "}\nslots:\n" + slotLines
	spec, err := slots.Parse(filepath.Join(t.TempDir(), "bench.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := desk.Open(spec, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	equipment := station.Equip(spec, station.Env{Now: time.Now, Rand: rand.Reader, Hand: &noting{}, Getenv: func(string) string { return "" }})
	t.Cleanup(func() {
		if err := equipment.Close(); err != nil {
			t.Error(err)
		}
	})
	return &testBench{t: t, spec: spec, desk: d, open: func(ctx context.Context, slot string, ear reach.Ear) (Stand, error) {
		s, err := equipment.OpenHeard(ctx, slot, ear)
		if err != nil {
			return nil, err
		}
		return s, nil
	}}
}

// options returns those of a run on the bench.
func (b *testBench) options(change func(*BenchOptions)) Options {
	b.t.Helper()
	o := BenchOptions{Spec: b.spec, Desk: b.desk, Owner: desk.Owner{Who: "test"}, Open: b.open, Rand: rand.Reader, Getenv: func(string) string { return "" }}
	if change != nil {
		change(&o)
	}
	bench, err := NewBench(b.t.Context(), o)
	if err != nil {
		b.t.Fatal(err)
	}
	return Options{Title: "bench", Bench: bench, Parallel: bench.Size()}
}

// after returns what is written down about the slots.
func (b *testBench) after() map[string]desk.Slot {
	b.t.Helper()
	all, err := b.desk.Slots(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// oneKey is a scenario with a device of a profile, and more of what is said of it.
func oneKey(id, device string) Source {
	return Source{File: id + ".yaml", ID: id, Text: []byte(`title: One key
people: {ada: }
devices: {key: {` + device + `}}
steps:
  - {register: ada, with: key, save: first}
  - {power-cycle: key}
  - {sign-in: ada, with: key}
`)}
}

// tries lists the outcomes of all attempts at a scenario with the slots that they were on.
func tries(events []report.Event, id string) string {
	var all []string
	for _, e := range events {
		if e.Kind == report.ScenarioEnd && e.ScenarioID == id {
			all = append(all, string(e.Outcome)+" on "+strings.Split(e.Scenario.Devices[0].Reached, ",")[0])
		}
	}
	return strings.Join(all, "; ")
}

func uses(events []report.Event) map[string]report.SlotUse {
	all := map[string]report.SlotUse{}
	for _, s := range events[len(events)-1].Run.Slots {
		all[s.Name] = s
	}
	return all
}

// TestBench: scenarios are run on the slots that suit them, with the states of their keys
// known afterwards.
func TestBench(t *testing.T) {
	b := newTestBench(t, `
  blue: {emulate: yubikey-5, tags: [usb-c, nfc]}
  plain: {emulate: security-key, tags: [usb-a]}
  old: {emulate: u2f-key, tags: [drawer]}
`)
	sources := []Source{
		oneKey("plain", "profile: security-key, pin: '4711'"),
		oneKey("blue", "profile: yubikey-5"),
		oneKey("tagged", "profile: security-key, tags: [usb-c, nfc]"),
		oneKey("old", "profile: u2f-key, tags: [drawer]"), // which keeps nothing, and cannot be reset
		oneKey("old-again", "profile: u2f-key, tags: [drawer]"),
		oneKey("nowhere", "profile: security-key, tags: [lightning]"),
		oneKey("quirky", "profile: security-key, quirks: [counter-stuck]"),
		oneKey("phone", "profile: passkey-provider"),
		{File: "both.yaml", ID: "both", Text: []byte("title: Both\npeople: {ada: }\ndevices:\n  key: {profile: security-key}\n  spare: {profile: security-key}\n  phone: {profile: passkey-provider}\nsteps:\n  - {register: ada, with: key}\n  - {register: ada, with: spare}\n  - {register: ada, with: phone}\n  - {sign-in: ada, with: spare}\n")},
	}
	events := runAll(t, sources, b.options(nil))
	for id, want := range map[string]string{
		"plain": "passed on slot plain", "blue": "passed on slot blue", "tagged": "passed on slot blue",
		"old": "passed on slot old", "old-again": "passed on slot old",
	} {
		if got := tries(events, id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	reached := map[string]string{}
	for _, e := range events {
		switch {
		case e.Kind == report.ScenarioEnd && e.Outcome == report.Skipped:
			reached[e.ScenarioID] = e.Text
		case e.Kind == report.ScenarioEnd && e.ScenarioID == "both":
			for _, d := range e.Scenario.Devices {
				reached["device "+d.Name], _, _ = strings.Cut(d.Reached, ",")
			}
		}
	}
	for what, want := range map[string]string{
		"nowhere": "has not the tags lightning", "quirky": "quirks are for emulated devices", "phone": "no device of it is a key for a slot",
	} {
		if !strings.Contains(reached[what], want) {
			t.Errorf("%s was skipped for %q, want %q", what, reached[what], want)
		}
	}
	if both := slices.Sorted(maps.Values(map[string]string{"a": reached["device key"], "b": reached["device spare"]})); fmt.Sprint(both) != "[slot blue slot plain]" || reached["device phone"] == "" {
		t.Errorf("both had %v", both)
	}
	for name, s := range b.after() {
		if s.Health.Grade != health.Good || !s.Key.Known() || s.Holder != nil {
			t.Errorf("slot %s: %+v", name, s)
		}
	}
	measured := map[string]int{}
	for _, e := range events {
		if e.Kind == report.Measured {
			measured[e.Measurement.Quantity]++
		}
	}
	if measured["touch-to-response"] == 0 || measured["retries"] == 0 {
		t.Errorf("measured %v", measured)
	}
}

// TestBenchFaults: a finger that does not move and a key that dies are errors of the
// bench; the scenarios are tried again on other slots, visibly, and the slots are set
// aside after a while.
func TestBenchFaults(t *testing.T) {
	b := newTestBench(t, `
  stuck: {emulate: security-key, finger: {emulator: {fails: after 0}}}
  dying: {emulate: {profile: security-key, dies: after 40}}
  good-1: {emulate: security-key}
  good-2: {emulate: security-key}
`)
	var sources []Source
	for i := range 12 {
		sources = append(sources, oneKey(fmt.Sprintf("s%02d", i), "profile: security-key"))
	}
	events := runAll(t, sources, b.options(nil))
	errors := 0
	for _, s := range sources {
		got := tries(events, s.ID)
		errors += strings.Count(got, "error on")
		if last := got[strings.LastIndex(got, "; ")+1:]; !strings.Contains(last, "passed on slot good") && !strings.Contains(last, "passed on slot dying") {
			t.Errorf("%s: %s", s.ID, got)
		}
		if strings.Contains(got, "failed") {
			t.Errorf("%s: %s: a fault of the bench is no failure", s.ID, got)
		}
	}
	if errors == 0 {
		t.Error("no attempt met the faults")
	}
	used := uses(events)
	if s := used["stuck"]; s.SetAside == "" || len(s.Faults) < 3 || s.Before != "good" || s.After != "bad" {
		t.Errorf("stuck: %+v", s)
	}
	if s := used["good-1"]; s.Used == 0 || s.Faults != nil || s.After != "good" {
		t.Errorf("good-1: %+v", s)
	}
	after := b.after()
	if after["stuck"].Key.Known() || !after["good-1"].Key.Known() {
		t.Errorf("keys: stuck %s, good-1 %s", after["stuck"].Key, after["good-1"].Key)
	}
	// A run after it leaves the slot alone. What could be run there and nowhere else is an
	// error of the bench; what could be run nowhere is skipped as ever, and so it is where
	// somebody has taken the slot out of service.
	only := func(o *BenchOptions) { o.Slots = []string{"stuck"} }
	last := func(s Source) report.Event { e := runAll(t, []Source{s}, b.options(only)); return e[len(e)-2] }
	if end := last(sources[0]); end.Outcome != report.Error || !strings.Contains(end.Failure.Message, "stuck (set aside (bad)") || !strings.Contains(end.Failure.Hint, "mend slot stuck") {
		t.Errorf("%s %+v", end.Outcome, end.Failure)
	}
	if end := last(oneKey("tagged", "profile: security-key, tags: [usb-c]")); end.Outcome != report.Skipped {
		t.Errorf("%s %q", end.Outcome, end.Text)
	}
	if _, err := b.desk.Record(t.Context(), "stuck", health.Entry{Verdict: health.SetAside, Reason: "being mended"}); err != nil {
		t.Fatal(err)
	}
	if end := last(sources[0]); end.Outcome != report.Skipped || !strings.Contains(end.Text, "stuck (set aside (maintenance)") {
		t.Errorf("%s %q", end.Outcome, end.Text)
	}
}

// TestBenchBusy: a slot that another program has is waited for.
func TestBenchBusy(t *testing.T) {
	b := newTestBench(t, "\n  only: {emulate: security-key}\n")
	lease, err := b.desk.Acquire(t.Context(), "only", desk.Wish{Owner: desk.Owner{Who: "somebody"}})
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan error, 1)
	time.AfterFunc(time.Second, func() { released <- lease.Release() })
	events := runAll(t, []Source{oneKey("a", "profile: security-key")}, b.options(nil))
	if err := <-released; err != nil {
		t.Fatal(err)
	}
	if got := tries(events, "a"); got != "passed on slot only" {
		t.Error(got)
	}
	for _, e := range events {
		if e.Kind == report.Note {
			t.Log(e.Text)
		}
	}
	if s := uses(events)["only"]; !strings.Contains(s.Waited, "somebody") {
		t.Errorf("%+v", s)
	}
}

// pulled is a slot from which the key is gone after so many requests.
type pulled struct {
	Stand
	left *int
}

func (p pulled) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	if *p.left--; *p.left < 0 {
		return nil, &station.Fault{Slot: "only", Part: "key", Err: fmt.Errorf("it is unplugged")}
	}
	return p.Stand.Exchange(ctx, request)
}

// TestBenchUnpluggedAnywhere pulls the key at every request of a run: nothing hangs, the
// outcome is error and never failed, and what is on the key is marked as unknown.
func TestBenchUnpluggedAnywhere(t *testing.T) {
	for n := 0; ; n++ {
		b := newTestBench(t, "\n  only: {emulate: security-key}\n")
		left, open := n, b.open
		b.open = func(ctx context.Context, slot string, ear reach.Ear) (Stand, error) {
			s, err := open(ctx, slot, ear)
			return pulled{s, &left}, err
		}
		events := runAll(t, []Source{oneKey("a", "profile: security-key, pin: '4711'")}, b.options(nil))
		got := tries(events, "a")
		slot := b.after()["only"]
		if slot.Holder != nil {
			t.Errorf("after %d requests the slot was not given back", n)
		}
		if left >= 0 {
			if got != "passed on slot only" || slot.Key != (strategy.State{Stage: strategy.PINSet}) {
				t.Errorf("undisturbed: %s, %s", got, slot.Key)
			}
			t.Logf("pulled at each of %d requests", n)
			return
		}
		if got == "passed on slot only" && !slot.Key.Known() { // it was pulled when all was over
			continue
		}
		if got != "error on slot only" || slot.Key.Known() || slot.Health.Grade != health.Suspect {
			t.Errorf("after %d requests: %s, key %s, slot %s", n, got, slot.Key, slot.Health.Grade)
		}
	}
}
