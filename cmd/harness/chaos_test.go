package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"fido-emu/report"
)

// until runs a program again and again until its output has what is looked for.
func until(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM [ARGUMENT]...")
	}
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err == nil && wanted.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("%v never says %s", args[1:], args[0])
}

// nowhere makes sure that a secret is in no file of the test and was not printed, but in
// the script.
func nowhere(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: nowhere SECRET")
	}
	for _, said := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(said), args[0]) {
			ts.Fatalf("it is on %s", said)
		}
	}
	seen := 0
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), args[0]) {
			err = fmt.Errorf("it is in %s", path)
		}
		seen++
		return err
	}))
	ts.Logf("looked through %d files", seen)
}

// stay is what was done on a slot from a time to another.
type stay struct {
	slot, what string
	from, to   time.Time
}

// apart makes sure that the runs of several files of events were never on a slot at the
// same time, and that each was on one.
func apart(ts *testscript.TestScript, _ bool, args []string) {
	var before []stay
	for _, file := range args {
		now := stays(ts, file)
		if len(now) == 0 {
			ts.Fatalf("%s: no slot was used", file)
		}
		for _, n := range now {
			for _, b := range before {
				if n.slot == b.slot && n.from.Before(b.to) && b.from.Before(n.to) {
					ts.Fatalf("slot %s was used by %s and by %s", n.slot, b.what, n.what)
				}
			}
		}
		before = append(before, now...)
	}
}

// stays lists when the run of a file was on which slots.
func stays(ts *testscript.TestScript, file string) (all []stay) {
	began := map[string]time.Time{}
	for e, err := range report.Read(strings.NewReader(ts.ReadFile(file))) {
		ts.Check(err)
		attempt := fmt.Sprint(e.ScenarioID, e.Attempt)
		switch e.Kind {
		case report.ScenarioStart:
			began[attempt] = e.Time
		case report.ScenarioEnd:
			for _, d := range e.Scenario.Devices {
				if d.Slot != nil {
					all = append(all, stay{d.Slot.Name, file + " " + attempt, began[attempt], e.Time})
				}
			}
		}
	}
	return all
}
