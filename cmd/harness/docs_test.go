package main

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"fido-emu/docs/doctest"
	"fido-emu/fixtures"
	"fido-emu/rp/audit"
	"fido-emu/scenarios/coverage"
)

func TestDocumentedCommands(t *testing.T) {
	silent := ui{out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}
	doctest.Commands(t, "../..", func() *cobra.Command { return rootCommand(silent) })
}

func TestCompletions(t *testing.T) {
	root := rootCommand(ui{})
	for name, flags := range completions() {
		c, rest, err := root.Find(strings.Fields(name))
		if err != nil || len(rest) > 0 {
			t.Errorf("there is no command %s: %v", name, err)
		}
		for flag, w := range flags {
			if flag != "" && c.Flag(flag) == nil {
				t.Errorf("%s has no flag --%s", name, flag)
			}
			if len(w.of()) == 0 {
				t.Errorf("nothing completes %s %s", name, flag)
			}
		}
	}
}

// TestNumbers holds the numbers of the README against what they count. Scenarios come and
// go: theirs may be a twentieth off.
func TestNumbers(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		said   string
		is     int
		within int
	}{
		{`Built-in library · (\d+) scenarios`, len(cases), len(cases) / 20},
		{`(\d+) rows:`, len(coverage.Rows()), 0},
		{`of (\d+) mutants killed`, len(fixtures.Quirks()), 0},
		{`tries (\d+) attacks`, len(audit.Catalogue()), 0},
	} {
		all := regexp.MustCompile(c.said).FindAllSubmatch(readme, -1)
		if all == nil {
			t.Errorf("the README does not say %s", c.said)
		}
		for _, m := range all {
			if n, err := strconv.Atoi(string(m[1])); err != nil || n < c.is-c.within || n > c.is+c.within {
				t.Errorf("the README says %q, and there are %d", m[0], c.is)
			}
		}
	}
}
