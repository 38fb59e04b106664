package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"fido-emu/docs/doctest"
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
