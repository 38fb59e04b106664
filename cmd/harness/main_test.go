package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"fido-emu/report"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"harness": main})
}

func TestCommandLine(t *testing.T) {
	descriptions, err := filepath.Abs("../../rp/web/descriptions")
	if err != nil {
		t.Fatal(err)
	}
	fixtures, err := filepath.Abs("../../fixtures")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DESCRIPTIONS", descriptions)
			e.Setenv("EXAMPLE", filepath.Join(fixtures, "example-bench.yaml"))
			e.Setenv("FAILING", filepath.Join(fixtures, "failing-bench.yaml"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"same-events": sameEvents,
			"exits":       exits,
			"until":       until,
			"nowhere":     nowhere,
			"apart":       apart,
		},
	})
}

// exits runs a program and checks its exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT]...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%v: exit code %d, want %s", args[1:], got, args[0])
	}
}

// sameEvents compares two files of events, times aside.
func sameEvents(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same-events FILE FILE")
	}
	if same := timeless(ts, args[0]) == timeless(ts, args[1]); same == neg {
		ts.Fatalf("events of %s and %s: the same is %v", args[0], args[1], same)
	}
}

func timeless(ts *testscript.TestScript, file string) string {
	var b strings.Builder
	for e, err := range report.Read(strings.NewReader(ts.ReadFile(file))) {
		ts.Check(err)
		line, err := json.Marshal(e)
		ts.Check(err)
		var members map[string]any
		ts.Check(json.Unmarshal(line, &members))
		delete(members, "time")
		delete(members, "duration")
		line, err = json.Marshal(members)
		ts.Check(err)
		b.Write(append(line, '\n'))
	}
	return b.String()
}

// TestInterrupted runs with a context that is cancelled already, as an interrupt
// before the first step would: every scenario is aborted, and the reports are
// complete.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	cancel()
	var out, errOut strings.Builder
	u := ui{in: strings.NewReader(""), out: &out, err: &errOut, getenv: func(string) string { return "" }}
	if code := execute(ctx, []string{"run", "basics", "--reports", dir}, u); code != exitFailed {
		t.Errorf("exit code %d, want %d\n%s", code, exitFailed, errOut.String())
	}
	f, err := os.Open(dir + "/" + report.EventsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	events, err := report.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	if last.Kind != report.RunEnd || last.Outcome != report.Aborted {
		t.Errorf("the last event is %s %s", last.Kind, last.Outcome)
	}
	if counts := last.Run.Counts; counts[report.Aborted] != last.Run.Scenarios || len(counts) != 1 {
		t.Errorf("outcomes %v of %d scenarios", counts, last.Run.Scenarios)
	}
}
