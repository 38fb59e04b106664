package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// begin writes the beginning of a run: one scenario that passed, and one that has not
// ended.
func begin(t *testing.T, dir, title string) *FileSink {
	t.Helper()
	sink, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := NewStream(clock(), sink)
	run := Run{Title: title, Scenarios: 2, Plan: []Scenario{{ID: "a", Title: "A"}, {ID: "b", Title: "B"}}}
	s.Emit(Event{Kind: RunStart, Run: &run})
	s.Emit(Event{Kind: ScenarioStart, ScenarioID: "a", Scenario: &run.Plan[0]})
	s.Emit(Event{Kind: ScenarioEnd, ScenarioID: "a", Outcome: Passed})
	s.Emit(Event{Kind: ScenarioStart, ScenarioID: "b", Scenario: &run.Plan[1]})
	return sink
}

// TestKilled: what runs had seen when they were killed is there, and the next one in the
// folder keeps it.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	for n, title := range []string{"first", "second"} {
		killed := begin(t, dir, title)
		if (killed.Kept() != "") != (n > 0) {
			t.Errorf("run %d kept %q", n+1, killed.Kept())
		}
		if err := killed.events.f.Close(); err != nil { // as the system does
			t.Fatal(err)
		}
	}
	next := begin(t, dir, "next")
	b, err := os.ReadFile(next.Kept())
	if err != nil {
		t.Fatal(err)
	}
	events, err := ReadAll(strings.NewReader(string(b)))
	if err != nil || len(events) != 3 || events[0].Run.Title != "second" || events[2].Outcome != Passed {
		t.Errorf("%d events were kept, %v", len(events), err)
	}
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 5 {
		t.Errorf("%v in the folder: %v", entries, err)
	}
}

// TestTwoRuns: a folder takes the reports of one run at a time.
func TestTwoRuns(t *testing.T) {
	dir := t.TempDir()
	first := begin(t, dir, "first")
	if _, err := Files(dir); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second run: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := begin(t, dir, "second")
	if second.Kept() != "" {
		t.Errorf("a run that ended is kept as %s", second.Kept())
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, EventsFile))
	if err != nil || !strings.Contains(string(b), "second") {
		t.Errorf("the events are those of another run: %v", err)
	}
}
