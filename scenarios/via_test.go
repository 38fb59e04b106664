package scenarios

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"fido-emu/fixtures/reach"
	"fido-emu/report"
)

// ways are those that need nothing of the computer.
var ways = []string{"pipe", "udp"}

func parseWay(t *testing.T, text string) *reach.Way {
	t.Helper()
	way, err := reach.ParseWay(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := way.Check(); err != nil {
		t.Fatal(err)
	}
	return &way
}

// results are the outcomes of steps and scenarios, and what people are told of
// them.
func results(events []report.Event) []string {
	var all []string
	for _, e := range events {
		if e.Kind == report.StepEnd || e.Kind == report.ScenarioEnd {
			all = append(all, fmt.Sprintf("%s %d %s %s", e.ScenarioID, e.StepIndex, e.Outcome, e.Text))
		}
	}
	return all
}

// withoutWire leaves out what is only there on a wire.
func withoutWire(t *testing.T) (rest []Source) {
	t.Helper()
	all, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if !strings.HasPrefix(s.ID, "wire/") {
			rest = append(rest, s)
		}
	}
	return rest
}

// among leaves the events of the scenarios of some files.
func among(events []report.Event, sources []Source) (rest []report.Event) {
	files := map[string]bool{}
	for _, s := range sources {
		files[s.ID] = true
	}
	for _, e := range events {
		if file, _, _ := strings.Cut(e.ScenarioID, "["); files[file] {
			rest = append(rest, e)
		}
	}
	return rest
}

// testLibraryVia runs scenarios over a way: everything ends as it does in process, and
// nothing is left of any device. The events are returned, and the scenarios that are
// skipped because the way has no room for another device.
func testLibraryVia(t *testing.T, name string, sources []Source) (events []report.Event, noRoom map[string]bool) {
	seed := uint64(7)
	want := results(among(libraryInProcess(t), sources))
	files := openFiles(t)
	began := time.Now()
	events = runAll(t, sources, Options{Title: "library", Seed: &seed, Via: parseWay(t, name)})
	t.Logf("%d files took %v via %s", len(sources), time.Since(began), name)
	noRoom = map[string]bool{}
	for _, e := range events {
		if e.Kind != report.ScenarioEnd {
			continue
		}
		if e.Outcome == report.Skipped && strings.Contains(e.Text, reach.ErrFull.Error()) {
			noRoom[e.ScenarioID] = true
		}
		for _, d := range e.Scenario.Devices {
			if !strings.Contains(d.Reached, parseWay(t, name).About()) {
				t.Errorf("%s: %s was reached %q", e.ScenarioID, d.Name, d.Reached)
			}
		}
		if e.Failure != nil {
			t.Errorf("%s: %+v", e.ScenarioID, e.Failure)
		}
	}
	got := results(events)
	if len(got) != len(want) {
		t.Fatalf("%d results, %d in process", len(got), len(want))
	}
	for i := range want {
		if id, _, _ := strings.Cut(want[i], " "); got[i] != want[i] && !noRoom[id] {
			t.Errorf("via %s: %s, in process: %s", name, got[i], want[i])
		}
	}
	settle(t, files)
	return events, noRoom
}

// settle waits until no more files are open than before, and no goroutine has to do
// with a wire.
func settle(t *testing.T, files int) {
	t.Helper()
	for range 100 {
		if openFiles(t) <= files && onTheWire() == "" {
			return
		}
		<-time.After(10 * time.Millisecond) // goroutines end in their own time
	}
	t.Errorf("%d files are open, %d were; on the wire there are still:\n%s", openFiles(t), files, onTheWire())
}

// onTheWire returns the stacks of goroutines that have to do with a wire. Those of
// Ginkgo stay.
func onTheWire() string {
	stacks := make([]byte, 4<<20)
	var found []string
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if strings.Contains(stack, "fido-emu/hid") || strings.Contains(stack, "fixtures/reach") {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func TestLibraryVia(t *testing.T) {
	for _, name := range ways {
		t.Run(name, func(t *testing.T) {
			events, noRoom := testLibraryVia(t, name, aboutDevices(t))
			if len(noRoom) > 0 {
				t.Errorf("no room for %v", noRoom)
			}
			if name == "pipe" { // in memory: it keeps all messages of a seeded run the same
				sameMessages(t, events, among(libraryInProcess(t), aboutDevices(t)))
			}
		})
	}
}

// sameMessages compares all messages of two runs.
func sameMessages(t *testing.T, got, want []report.Event) {
	t.Helper()
	messages := func(events []report.Event) (lines []string) {
		for _, e := range events {
			if e.Kind == report.CTAP || e.Kind == report.WebAuthn {
				line, err := json.Marshal([]any{e.ScenarioID, e.StepIndex, e.Device, e.Exchange, e.Ceremony})
				if err != nil {
					t.Fatal(err)
				}
				lines = append(lines, string(line))
			}
		}
		return lines
	}
	g, w := messages(got), messages(want)
	if len(g) != len(w) {
		t.Fatalf("%d messages, %d in process", len(g), len(w))
	}
	for i := range w {
		if g[i] != w[i] {
			t.Fatalf("message %d:\n%s\nin process:\n%s", i+1, g[i], w[i])
		}
	}
}
