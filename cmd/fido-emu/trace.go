package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
)

func traceCommand() *cobra.Command {
	var at remote
	var asJSON bool
	c := &cobra.Command{
		Use:   "trace [KEY]",
		Short: "Show what goes over the wire, decoded, until interrupted",
		Args:  cobra.MaximumNArgs(1), ValidArgsFunction: completeKeys,
		RunE: func(c *cobra.Command, args []string) error {
			client, key, err := at.key(c.Context(), first(args))
			if err != nil {
				return err
			}
			ready := func() { fmt.Fprintf(c.ErrOrStderr(), "tracing %s\n", key.Name) }
			return client.Trace(c.Context(), key.Name, false, ready, func(l control.TraceLine) error {
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(l)
				}
				return printLine(c.OutOrStdout(), l)
			})
		},
	}
	at.add(c)
	addJSON(c, &asJSON)
	return c
}

func printLine(w io.Writer, l control.TraceLine) error {
	at := l.Time.Local().Format("15:04:05.000000")
	if l.Command == "" {
		_, err := fmt.Fprintf(w, "%s %s %s %s\n", at, l.Key, l.Kind, l.Text)
		return err
	}
	arrow := "<"
	if l.FromHost {
		arrow = ">"
	}
	if _, err := fmt.Fprintf(w, "%s %s %s %08x %s (%d bytes) %s\n", at, l.Key, arrow, l.Channel, l.Command, l.Length, l.Name); err != nil {
		return err
	}
	return printFields(w, l.Fields, "  "+arrow+" ")
}

var _ = os.Stdout
var _ = emulator.ReportPassed
