package main

import (
	"io"
	"testing"

	"github.com/spf13/cobra"

	"fido-emu/docs/doctest"
)

func TestDocumentedCommands(t *testing.T) {
	silent := ui{out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}
	doctest.Commands(t, "../..", func() *cobra.Command { return rootCommand(silent) })
}
