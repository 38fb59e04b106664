package archive_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"fido-emu/report"
	"fido-emu/report/archive"
)

// ending is how a scenario ended in a run, attempt by attempt.
type ending struct {
	id       string
	outcomes []report.Outcome
	took     time.Duration
}

// keep writes a run with these scenarios into a folder of its own and reads it.
func keep(t *testing.T, broken bool, endings ...ending) *archive.Run {
	t.Helper()
	dir := t.TempDir()
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	files, err := report.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := report.NewStream(func() time.Time { return clock }, files)
	run := report.Run{Title: "nightly", Scenarios: len(endings)}
	for _, e := range endings {
		run.Plan = append(run.Plan, report.Scenario{ID: e.id, Title: e.id})
	}
	s.Emit(report.Event{Kind: report.RunStart, Run: &run})
	for i := range run.Plan {
		for n, o := range endings[i].outcomes {
			s.Emit(report.Event{Kind: report.ScenarioStart, ScenarioID: run.Plan[i].ID, Attempt: n + 1, Scenario: &run.Plan[i]})
			e := report.Event{Kind: report.ScenarioEnd, ScenarioID: run.Plan[i].ID, Attempt: n + 1, Outcome: o, Duration: endings[i].took}
			if o.Bad() {
				e.Failure = &report.Failure{Message: "no"}
			}
			s.Emit(e)
		}
	}
	if !broken {
		s.Emit(report.Event{Kind: report.RunEnd, Run: &run})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := archive.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func is(id string, outcomes ...report.Outcome) ending { return ending{id: id, outcomes: outcomes} }

func TestCompare(t *testing.T) {
	const p, f, e, s = report.Passed, report.Failed, report.Error, report.Skipped
	first := keep(t, false, is("kept", p), is("mended", f), is("wavers", f), is("worse", p), is("never", f), is("gone", p), is("left-out", p), ending{"slow", []report.Outcome{p}, time.Second})
	second := keep(t, false, is("kept", p), is("mended", f), is("wavers", p), is("worse", p), is("never", e), is("left-out", p), ending{"slow", []report.Outcome{p}, time.Second})
	third := keep(t, false, is("kept", p), is("mended", p), is("wavers", f), is("worse", f), is("never", f), is("left-out", s), is("retried", f, p), is("new-bad", e), ending{"slow", []report.Outcome{p}, 3 * time.Second})
	fourth := keep(t, false, is("kept", p), is("wavers", p))
	c := archive.Compare([]*archive.Run{first, second, third})
	want := map[string]archive.Change{
		"kept": archive.Same, "mended": archive.Fixed, "wavers": archive.Broken, "worse": archive.Broken, "never": archive.StillBad,
		"gone": archive.Gone, "left-out": archive.NotRun, "retried": archive.New, "new-bad": archive.NewBad, "slow": archive.Slower,
	}
	for _, sc := range c.Scenarios {
		if sc.Change != want[sc.ID] {
			t.Errorf("%s is %q, want %q (history %v)", sc.ID, sc.Change, want[sc.ID], sc.History)
		}
	}
	if len(c.Scenarios) != len(want) || !c.Worse() || c.Counts[archive.Broken] != 2 {
		t.Errorf("%d scenarios, worse %v, counts %v", len(c.Scenarios), c.Worse(), c.Counts)
	}
	later := archive.Compare([]*archive.Run{first, second, third, fourth})
	for _, sc := range later.Scenarios {
		if sc.ID == "wavers" && sc.Change != archive.Flaky {
			t.Errorf("what went from failed to passed and back is %q, want flaky", sc.Change)
		}
	}
	if later.Worse() {
		t.Error("nothing broke in the last run, and it is called worse")
	}
}

// TestMerge: shards come together, a second run of what failed is a further attempt,
// and a run that broke off leaves no scenario out.
func TestMerge(t *testing.T) {
	night := keep(t, false, is("a", report.Passed), is("b", report.Failed))
	again := keep(t, false, is("b", report.Passed))
	broke := keep(t, true, is("c"))
	dir := t.TempDir()
	files, err := report.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := archive.Merge([]*archive.Run{night, again, broke}, "", files); err != nil {
		t.Fatal(err)
	}
	whole, err := archive.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]report.Outcome{}
	for _, sc := range whole.Model.Scenarios {
		got[sc.ID] = sc.Outcome()
		if sc.ID == "b" && (!sc.Flaky() || len(sc.Attempts) != 2 || sc.Attempts[1].Number != 2) {
			t.Errorf("b has %d attempts and is flaky: %v", len(sc.Attempts), sc.Flaky())
		}
	}
	if len(got) != 3 || got["a"] != report.Passed || got["b"] != report.Passed || got["c"] != report.Aborted {
		t.Errorf("outcomes %v", got)
	}
	if whole.Model.Run.Title != "nightly" || whole.Model.Counts[report.Aborted] != 1 {
		t.Errorf("title %q, counts %v", whole.Model.Run.Title, whole.Model.Counts)
	}
}

// TestMergeSlots: a slot that several runs used is one slot.
func TestMergeSlots(t *testing.T) {
	night, again := keep(t, false, is("a", report.Failed)), keep(t, false, is("a", report.Passed))
	blue := report.SlotUse{Seat: report.Seat{Name: "blue"}, Used: 2, Before: "good", After: "suspect", Faults: []string{"stuck"}}
	other := report.SlotUse{Seat: report.Seat{Name: "plain"}, Used: 1, Before: "good", After: "good"}
	night.Model.Run.Slots = []report.SlotUse{blue}
	again.Model.Run.Slots = []report.SlotUse{other, {Seat: blue.Seat, Used: 3, Before: "suspect", After: "good"}}
	dir := t.TempDir()
	files, err := report.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := archive.Merge([]*archive.Run{night, again}, "", files); err != nil {
		t.Fatal(err)
	}
	whole, err := archive.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	blue.Used, blue.After = 5, "good"
	if got := whole.Model.Run.Slots; !reflect.DeepEqual(got, []report.SlotUse{blue, other}) {
		t.Errorf("slots %+v", got)
	}
}

// TestBrokenOff reads what a run had seen until it was killed, the beginning of a line
// included, before what the run before it left.
func TestBrokenOff(t *testing.T) {
	before := keep(t, false, is("a", report.Failed), is("b", report.Passed))
	whole, err := os.ReadFile(keep(t, false, is("a", report.Passed), is("b", report.Passed)).File)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	if err := os.WriteFile(filepath.Join(before.Dir(), report.PartFile), []byte(strings.Join(lines[:4], "")+lines[4][:9]), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := archive.Read(before.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if counts := r.Model.Counts; counts[report.Passed] != 1 || counts[report.Aborted] != 1 || r.Model.Outcome != report.Aborted {
		t.Errorf("%s, %v", r.Model.Outcome, counts)
	}
}

func TestTakeFiles(t *testing.T) {
	r := keep(t, false, is("a", report.Passed))
	if err := os.WriteFile(filepath.Join(r.Dir(), "shot.png"), []byte("png"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Events[1].Picture, r.Events[2].Picture = "shot.png", "../../etc/passwd"
	dir := t.TempDir()
	if err := archive.TakeFiles([]*archive.Run{r}, dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "run-1", "shot.png")); err != nil || string(got) != "png" {
		t.Errorf("the copy holds %q, %v", got, err)
	}
	if r.Events[1].Picture != "run-1/shot.png" || r.Events[2].Picture != "../../etc/passwd" {
		t.Errorf("pictures are %q and %q", r.Events[1].Picture, r.Events[2].Picture)
	}
}

func TestReadTellsWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.jsonl")
	for text, want := range map[string]string{
		"":                          "does not begin with the start of a run",
		"{\"kind\":\"note\"}\n":     "does not begin with the start of a run",
		"{\"kind\":\"run-start\"\n": "line 1 is not an event",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Read(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := archive.Read(dir); err == nil || !strings.Contains(err.Error(), "no events.jsonl in it") {
		t.Errorf("a folder without a run: %v", err)
	}
}
