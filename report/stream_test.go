package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Two runs with the same seed tell the same story, and what is read from JSONL is
// what was written.
func TestJSONLRoundTrip(t *testing.T) {
	var first, second bytes.Buffer
	sample(t, NewJSONL(&first))
	events := sample(t, NewJSONL(&second))
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the second run differs from the first")
	}
	read, err := ReadAll(&first)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(BuildModel(read), BuildModel(events)) {
		t.Error("the model of what was read differs from that of what was written")
	}
	for i, e := range read {
		if e.Seq != i+1 {
			t.Fatalf("event %d has number %d", i+1, e.Seq)
		}
	}
}

func TestReadNamesTheLine(t *testing.T) {
	for _, c := range []struct {
		name, in string
		events   int
		line     int // of the error; 0 for none
	}{
		{"nothing", "", 0, 0},
		{"no newline at the end", `{"kind":"note"}`, 1, 0},
		{"empty lines", "\n\n{\"kind\":\"note\"}\n\n", 1, 0},
		{"cut short", "{\"kind\":\"note\"}\n\n{\"kind\":", 1, 3},
		{"no kind", "{}", 0, 1},
		{"no object", "{\"kind\":\"note\"}\n7\n{\"kind\":\"note\"}\n", 1, 2},
		{"odd hexadecimal", `{"kind":"ctap","exchange":{"request":{"raw":"0"}}}`, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, err := ReadAll(strings.NewReader(c.in))
			if len(events) != c.events {
				t.Errorf("%d events, want %d", len(events), c.events)
			}
			var bad *SyntaxError
			if errors.As(err, &bad) != (c.line > 0) || bad != nil && bad.Line != c.line {
				t.Errorf("error %v, want line %d", err, c.line)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"kind":"scenario-start","scenarioId":"a","scenario":{"id":"a"}}` + "\n" + `{"kind":"step-end","scenarioId":"b"}`))
	f.Add([]byte(`{"kind":"run-start","run":{"plan":[{"id":"a"}]}}` + "\n" + `{"kind":"ctap","scenarioId":"a","exchange":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, _ := ReadAll(bytes.NewReader(b))
		m := BuildModel(events)
		var out bytes.Buffer
		if err := errors.Join(WriteHTML(&out, m), WriteJUnit(&out, m), replay(events, NewConsole(&out, ConsoleOptions{Terminal: true}))); err != nil {
			t.Error(err)
		}
	})
}

// A run that is cut off is completed: what was open and what was planned end as
// aborted, whether the stream is closed or its events break off.
func TestAbortedRunIsCompleted(t *testing.T) {
	rec := &tape{}
	s := NewStream(clock(), rec)
	plan := []Scenario{{ID: "a", Title: "A"}, {ID: "b", Title: "B"}}
	s.Emit(Event{Kind: RunStart, Run: &Run{Title: "r", Plan: plan}})
	s.Emit(Event{Kind: ScenarioStart, ScenarioID: "a", Attempt: 1, Scenario: &plan[0]})
	s.Emit(Event{Kind: StepStart, ScenarioID: "a", StepIndex: 1, Step: &Step{Text: "wait"}})
	brokenOff := BuildModel(rec.events)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var kinds []Kind
	for _, e := range rec.events {
		kinds = append(kinds, e.Kind)
	}
	want := []Kind{RunStart, ScenarioStart, StepStart, StepEnd, ScenarioEnd, ScenarioStart, ScenarioEnd, RunEnd}
	if !reflect.DeepEqual(kinds, want) {
		t.Errorf("events %v, want %v", kinds, want)
	}
	for name, m := range map[string]*Model{"closed": BuildModel(rec.events), "broken off": brokenOff} {
		if m.Outcome != Aborted || m.Counts[Aborted] != 2 || m.Scenarios[0].Last().Steps[0].Outcome != Aborted {
			t.Errorf("%s: outcome %s, counts %v", name, m.Outcome, m.Counts)
		}
	}
	s.Emit(Event{Kind: Note})
	if len(rec.events) != len(want) {
		t.Error("an event after Close was kept")
	}
}

func TestOutcomeAndCountsOfRun(t *testing.T) {
	for _, c := range []struct {
		name     string
		outcomes []Outcome
		want     Outcome
	}{
		{"nothing ran", nil, Passed},
		{"all passed", []Outcome{Passed, Passed}, Passed},
		{"some skipped", []Outcome{Skipped, Passed}, Passed},
		{"all skipped", []Outcome{Skipped}, Skipped},
		{"one failed", []Outcome{Passed, Failed, Timeout}, Failed},
		{"the bench is at fault", []Outcome{Failed, Error}, Error},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := &tape{}
			s := NewStream(clock(), rec)
			s.Emit(Event{Kind: RunStart, Run: &Run{}})
			for i, o := range c.outcomes {
				id := string(rune('a' + i))
				s.Emit(Event{Kind: ScenarioStart, ScenarioID: id})
				s.Emit(Event{Kind: ScenarioEnd, ScenarioID: id, Outcome: o})
			}
			s.Emit(Event{Kind: RunEnd})
			end := rec.events[len(rec.events)-1]
			total := 0
			for _, n := range end.Run.Counts {
				total += n
			}
			if end.Outcome != c.want || total != len(c.outcomes) || end.Duration <= 0 {
				t.Errorf("run ended as %s with %v after %s, want %s", end.Outcome, end.Run.Counts, end.Duration, c.want)
			}
		})
	}
}

type brokenSink struct{ calls int }

func (b *brokenSink) Event(*Event) error { b.calls++; return errors.New("disk full") }

// A sink that fails is left alone and told of at the end; the others go on.
func TestFailingSink(t *testing.T) {
	bad, good := &brokenSink{}, &tape{}
	s := NewStream(clock(), bad, good)
	s.Emit(Event{Kind: RunStart, Run: &Run{}})
	s.Emit(Event{Kind: RunEnd})
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("Close returned %v", err)
	}
	if bad.calls != 1 || len(good.events) != 2 {
		t.Errorf("the failing sink was called %d times, the other got %d events", bad.calls, len(good.events))
	}
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	sink, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	sink.b.add(&Event{Kind: RunStart, Time: time.Unix(0, 0), Run: &Run{}})
	for _, name := range []string{EventsFile, JUnitFile, HTMLFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s is there before the end: %v", name, err)
		}
	}
	sample(t, sink)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v in the folder, want three files: %v", entries, err)
	}
	if len(sink.Written()) != 3 {
		t.Errorf("wrote %v", sink.Written())
	}
	for _, path := range sink.Written() {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("%s: %v %v", path, info, err)
		}
	}
}

// A report that cannot be written keeps the one before it and names its path.
func TestFailedWriteKeepsTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "junit.xml")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := createAtomic(path)
	if err != nil {
		t.Fatal(err)
	}
	f.f.Close() // every write to the disk fails from here
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := f.commit(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name %s", err, path)
	}
	if b, err := os.ReadFile(path); string(b) != "old" {
		t.Errorf("file is %q, %v", b, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
