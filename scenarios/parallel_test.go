package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fido-emu/report"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/steps"
	"fido-emu/scenarios/world"
)

// byScenario returns the events of each scenario, in their order, without what two runs
// need not share.
func byScenario(t *testing.T, events []report.Event) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, e := range events {
		e.Seq, e.Time, e.Duration = 0, time.Time{}, 0
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		all[e.ScenarioID] = append(all[e.ScenarioID], string(line))
	}
	return all
}

// TestParallelIsTheSame: what happens in a scenario does not depend on what runs beside
// it, scenarios with a TPM among them, and a report lists scenarios as planned.
func TestParallelIsTheSame(t *testing.T) {
	sources, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(7)
	one := libraryInProcess(t)
	many := runAll(t, sources, Options{Title: "library", Seed: &seed, Parallel: 8})
	want, got := byScenario(t, one), byScenario(t, many)
	if len(want) != len(got) {
		t.Fatalf("%d scenarios, %d one after the other", len(got), len(want))
	}
	for id := range want {
		if !slices.Equal(want[id], got[id]) {
			t.Errorf("%s is not the same beside others", id)
		}
	}
	if order(report.BuildModel(one)) != order(report.BuildModel(many)) {
		t.Error("the report does not list scenarios as planned")
	}
}

func order(m *report.Model) string {
	var ids []string
	for _, s := range m.Scenarios {
		ids = append(ids, s.ID)
	}
	return strings.Join(ids, " ")
}

// meeting is a step that waits until as many scenarios are in it at once.
func meeting(n int) steps.Step {
	var mu sync.Mutex
	all, here := make(chan struct{}), 0
	return steps.Step{
		Usage: language.Usage{Verb: "meet", Subject: language.Member{Name: "text", Kind: language.Text}},
		Run: func(ctx context.Context, _ *world.World, _ language.Call) error {
			mu.Lock()
			if here++; here == n {
				close(all)
			}
			mu.Unlock()
			select {
			case <-all:
				return nil
			case <-ctx.Done():
				return fmt.Errorf("only %d came", here)
			}
		},
	}
}

// TestParallel: scenarios run at the same time, their retries too, and each outcome is
// told once.
func TestParallel(t *testing.T) {
	attempts := 0
	all := append(fakes(&attempts, func() {}), meeting(3))
	o := runFakes(t, context.Background(), Options{Title: "fakes", Retries: 2, Parallel: 3, Steps: all},
		"meet: 1; flake: 1", "meet: 1; pass: 1", "meet: 1; claim: 1", "miss: 1", "fault: 1")
	want := map[report.Outcome]int{report.Passed: 2, report.Failed: 1, report.Skipped: 1, report.Error: 1}
	if fmt.Sprint(o.counts) != fmt.Sprint(want) {
		t.Errorf("counts %v, want %v", o.counts, want)
	}
	tries := map[string]int{}
	for _, e := range o.events {
		if e.Kind == report.ScenarioEnd {
			tries[e.ScenarioID]++
		}
	}
	if fmt.Sprint(tries) != "map[a:3 b:1 c:3 d:1 e:3]" {
		t.Errorf("attempts %v", tries)
	}
}

// TestParallelInterrupt: all that runs is aborted in good order, and nothing is lost.
func TestParallelInterrupt(t *testing.T) {
	attempts := 0
	var once sync.Once
	interrupt := func() {
		once.Do(func() {
			if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
				t.Error(err)
			}
		})
	}
	o := runFakes(t, context.Background(), Options{Title: "fakes", Retries: 1, Parallel: 3, Steps: fakes(&attempts, interrupt)},
		"hang: 1", "hang: 1", "interrupt: 1", "pass: 1", "pass: 1")
	if o.counts[report.Aborted] != 5 || len(o.counts) != 1 {
		t.Errorf("counts %v", o.counts)
	}
	if got := o.ends(report.ScenarioEnd); got != "aborted aborted aborted aborted aborted" {
		t.Errorf("scenarios ended %s", got)
	}
}

// TestPanicOfTheHarness is told as the harness's own error, with the outcomes of all
// others.
func TestPanicOfTheHarness(t *testing.T) {
	p := &pool{suite: newSuite(context.Background(), Options{}, report.NewStream(time.Now))}
	j := &job{scenario: &language.Scenario{ID: "a"}, number: 1, verdicts: make(chan verdict, 1)}
	v := p.try(j, nil) // nothing was lent to it
	if v.outcome != report.Error || v.broken == nil {
		t.Errorf("%+v", v)
	}
}
