package scenarios

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"fido-emu/keychain"
	"fido-emu/report"
	"fido-emu/rp"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/steps"
	"fido-emu/scenarios/world"
)

// fakes are steps that end as their verb says.
func fakes(attempts *int, interrupt func()) []steps.Step {
	step := func(verb string, run func(context.Context, *world.World) error) steps.Step {
		return steps.Step{
			Usage: language.Usage{Verb: verb, Subject: language.Member{Name: "text", Kind: language.Text}},
			Run:   func(ctx context.Context, w *world.World, _ language.Call) error { return run(ctx, w) },
		}
	}
	answer := func(err error) func(context.Context, *world.World) error {
		return func(context.Context, *world.World) error { return err }
	}
	return []steps.Step{
		step("pass", answer(nil)),
		step("refuse", answer(&rp.Refused{Code: "not-now", Reason: "later"})),
		step("partition", answer(&keychain.Error{Code: keychain.Partitioned, Message: "no way"})),
		step("break", answer(&rp.Broken{Doing: "POST /x", Err: errors.New("status 500")})),
		step("fault", answer(errors.New("cable cut"))),
		step("miss", answer(&world.Missing{Reason: "no such thing here"})),
		step("claim", answer(&steps.Unmet{Claim: "x should be 1", Found: "it is 2"})),
		step("panic", func(context.Context, *world.World) error { panic("oops") }),
		step("hang", func(ctx context.Context, _ *world.World) error { <-ctx.Done(); return ctx.Err() }),
		step("flake", func(context.Context, *world.World) error {
			if *attempts++; *attempts < 3 {
				return &steps.Unmet{Claim: "touched", Found: "it was missed"}
			}
			return nil
		}),
		step("interrupt", func(ctx context.Context, _ *world.World) error {
			interrupt()
			<-ctx.Done()
			return ctx.Err()
		}),
	}
}

type outcome struct {
	events []report.Event
	counts map[report.Outcome]int
}

// runFakes runs scenarios of fake steps, each given as its lines of steps.
func runFakes(t *testing.T, ctx context.Context, o Options, scenarios ...string) outcome {
	t.Helper()
	attempts := 0
	if o.Steps == nil {
		o.Steps = fakes(&attempts, func() {})
	}
	var all []*language.Scenario
	for i, lines := range scenarios {
		source := "title: T\nsteps:\n"
		for line := range strings.SplitSeq(lines, "; ") {
			source += "  - " + line + "\n"
		}
		loaded, err := language.Load("fake.yaml", []byte(source), language.Grammar{Verbs: steps.Usages(o.Steps)})
		if err != nil {
			t.Fatal(err)
		}
		loaded[0].ID = string(rune('a' + i))
		all = append(all, loaded...)
	}
	var b bytes.Buffer
	stream := report.NewStream(time.Now, report.NewJSONL(&b))
	counts, err := Run(ctx, all, o, stream)
	if err := errors.Join(err, stream.Close()); err != nil {
		t.Error(err)
	}
	events, err := report.ReadAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	return outcome{events, counts}
}

// ends returns the outcomes of all events of a kind, in order.
func (o outcome) ends(kind report.Kind) string {
	var ends []string
	for _, e := range o.events {
		if e.Kind == kind {
			ends = append(ends, string(e.Outcome))
		}
	}
	return strings.Join(ends, " ")
}

func (o outcome) failure() string {
	for _, e := range o.events {
		if e.Kind == report.StepEnd && e.Failure != nil {
			return e.Failure.Location.String() + " " + e.Failure.Message + " " + e.Failure.Hint
		}
	}
	return ""
}

func TestOutcomes(t *testing.T) {
	tests := []struct{ steps, ends, failure string }{
		{"pass: 1; pass: 2", "passed passed", ""},
		{"refuse: 1; pass: 2", "failed skipped", "fake.yaml:3:5 relying party refused: later (not-now) if this is what should happen, add expect: refused and reason: not-now"},
		{"{refuse: 1, expect: refused, reason: not-*}; pass: 2", "passed passed", ""},
		{"{refuse: 1, expect: refused, reason: /now/}", "passed", ""},
		{"{refuse: 1, expect: refused}", "passed", ""},
		{"{refuse: 1, expect: refused, reason: never}", "failed", "refused as expected, but for another reason"},
		{"{pass: 1, expect: refused, reason: x}", "failed", "a refusal was expected (x), but it succeeded"},
		{"{partition: 1, expect: refused, reason: partitioned}", "passed", ""},
		{"claim: 1; pass: 2; pass: 3", "failed skipped skipped", "x should be 1, but it is 2"},
		{"break: 1", "failed", "relying party broken: POST /x: status 500"},
		{"{break: 1, expect: refused}", "failed", "status 500"},
		{"fault: 1; pass: 2", "error skipped", "cable cut this is a fault of the bench"},
		{"{fault: 1, expect: refused}", "error", "cable cut"},
		{"panic: 1", "error", "panic: oops"},
		{"miss: 1; pass: 2", "skipped skipped", ""},
		{"{hang: 1, timeout: 10 ms}; pass: 2", "timeout skipped", "it took too long the step has 10ms"},
	}
	for _, tt := range tests {
		t.Run(tt.steps, func(t *testing.T) {
			o := runFakes(t, context.Background(), Options{Title: "fakes"}, tt.steps)
			if got := o.ends(report.StepEnd); got != tt.ends {
				t.Errorf("steps ended %s, want %s", got, tt.ends)
			}
			if got := o.failure(); !strings.Contains(got, tt.failure) || (got == "") != (tt.failure == "") {
				t.Errorf("failure %q, want %q", got, tt.failure)
			}
		})
	}
}

// TestRetriesStayVisible retries a scenario until it passes, from its first step.
func TestRetriesStayVisible(t *testing.T) {
	o := runFakes(t, context.Background(), Options{Title: "fakes", Retries: 4}, "pass: 1; flake: 2; pass: 3", "pass: 1")
	if got := o.ends(report.ScenarioEnd); got != "failed failed passed passed" {
		t.Errorf("attempts ended %s", got)
	}
	if got := o.ends(report.StepEnd); got != "passed failed skipped passed failed skipped passed passed passed passed" {
		t.Errorf("steps ended %s", got)
	}
	if o.counts[report.Passed] != 2 || len(o.counts) != 1 {
		t.Errorf("counts %v", o.counts)
	}
	if last := o.events[len(o.events)-2]; last.Attempt != 1 || last.ScenarioID != "b" {
		t.Errorf("last attempt %+v", last)
	}
}

// TestInterrupt ends a run in the middle: by its context, and by a real interrupt
// from the keyboard.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, interrupt := range map[string]func(){
		"context": cancel,
		"signal": func() {
			if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			parent := context.Background()
			if name == "context" {
				parent = ctx
			}
			attempts := 0
			o := runFakes(t, parent, Options{Title: "fakes", Retries: 2, Steps: fakes(&attempts, interrupt)}, "pass: 1", "pass: 1; interrupt: 2; pass: 3", "pass: 1", "pass: 1")
			if got := o.ends(report.ScenarioEnd); got != "passed aborted aborted aborted" {
				t.Errorf("scenarios ended %s", got)
			}
			if o.counts[report.Passed] != 1 || o.counts[report.Aborted] != 3 {
				t.Errorf("counts %v", o.counts)
			}
			last := o.events[len(o.events)-1]
			if last.Kind != report.RunEnd || last.Outcome != report.Aborted {
				t.Errorf("the run ended %s %s", last.Kind, last.Outcome)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	all := []*language.Scenario{
		{ID: "loss/key", Title: "Only key lost", Labels: []string{"loss", "smoke"}, Covers: []string{"device-loss", "escrow"}},
		{ID: "sync/new", Title: "New device", Labels: []string{"sync"}},
		{ID: "sync/heal", Title: "Partitioned", Labels: []string{"sync", "slow"}},
	}
	for _, tt := range []struct{ filter, focus, want string }{
		{"", "", "loss/key sync/new sync/heal"}, {"sync", "", "sync/new sync/heal"},
		{"sync && !slow", "", "sync/new"}, {"smoke || slow", "", "loss/key sync/heal"},
		{"only key", "", "loss/key"}, {"", "new", "sync/new"}, {"/^s/", "", "loss/key sync/new sync/heal"}, {"none", "", ""},
	} {
		chosen, err := Select(all, Selection{Filter: tt.filter, Focus: tt.focus})
		if err != nil {
			t.Error(err)
		}
		var ids []string
		for _, s := range chosen {
			ids = append(ids, s.ID)
		}
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("filter %q focus %q: %s, want %s", tt.filter, tt.focus, got, tt.want)
		}
	}
	if chosen, err := Select(all, Selection{Covers: []string{"guests", "escrow"}}); err != nil || len(chosen) != 1 || chosen[0] != all[0] {
		t.Errorf("of those that cover escrow or guests: %v, %v", chosen, err)
	}
	if _, err := Select(all, Selection{Covers: []string{"escrw"}}); err == nil || !strings.Contains(err.Error(), `"escrow"`) {
		t.Errorf("a row that is not there: %v", err)
	}
	all[2].Focus = true
	if chosen, _ := Select(all, Selection{}); len(chosen) != 1 || chosen[0] != all[2] {
		t.Error("focus: true is not heeded")
	}
	if _, err := Select(all, Selection{Filter: "a &&"}); err == nil {
		t.Error("a broken filter is taken")
	}
}
