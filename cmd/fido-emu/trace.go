package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
	"fido-emu/hid"
	"fido-emu/hid/pcapng"
)

func traceCommand() *cobra.Command {
	var at remote
	var t traceFlags
	c := &cobra.Command{
		Use:   "trace [KEY]",
		Short: "Show what goes over the wire, decoded, until interrupted",
		Long: "Prints every message with what is in it, a line of JSON each with --json. With --pcapng the reports go to a\n" +
			"file that Wireshark opens; '-' is standard output, and nothing else is printed then.",
		Example: "  fido-emu trace --pcapng - | wireshark -k -i -",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: completeKeys,
		RunE: func(c *cobra.Command, args []string) error {
			client, key, err := at.key(c.Context(), first(args))
			if err != nil {
				return err
			}
			return t.run(c, client, key.Name)
		},
	}
	at.add(c)
	addJSON(c, &t.json)
	c.Flags().StringVar(&t.capture, "pcapng", "", "file for the reports, which is replaced; - for standard output")
	return c
}

type traceFlags struct {
	json    bool
	capture string
}

func (t *traceFlags) run(c *cobra.Command, client *control.Client, key string) (err error) {
	if t.json && t.capture == "-" {
		return usageError{errors.New("--json and --pcapng - both want standard output")}
	}
	ready := func() { fmt.Fprintf(c.ErrOrStderr(), "fido-emu: tracing %s\n", key) }
	if t.capture == "" {
		return client.Trace(c.Context(), key, false, ready, t.printer(c.OutOrStdout()))
	}
	out, text := c.OutOrStdout(), io.Discard
	if t.capture != "-" {
		f, err := os.OpenFile(t.capture, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out, text = f, out
	}
	record, err := recorder(out, key)
	if err != nil {
		return err
	}
	show := t.printer(text)
	return client.Trace(c.Context(), key, true, ready, func(l control.TraceLine) error {
		if l.Kind == emulator.ReportPassed {
			return record(l)
		}
		return show(l)
	})
}

// printer returns what prints a line of the trace.
func (t *traceFlags) printer(w io.Writer) func(control.TraceLine) error {
	if t.json {
		return func(l control.TraceLine) error { return json.NewEncoder(w).Encode(l) }
	}
	return func(l control.TraceLine) error { return printLine(w, l) }
}

// recorder returns what adds a report to a capture, with what it completes as a
// comment.
func recorder(w io.Writer, key string) (func(control.TraceLine) error, error) {
	p, err := pcapng.NewWriter(w, key)
	if err != nil {
		return nil, err
	}
	var d emulator.Decoder
	return func(l control.TraceLine) error {
		comment, way := "", hid.ToHost
		if l.FromHost {
			way = hid.ToDevice
		}
		if m := d.Decode(l.Report, l.FromHost); m != nil {
			comment = m.Command.String()
			if m.Name != "" {
				comment += " " + m.Name
			}
		}
		return p.Report(l.Time, way, l.Report, comment)
	}, nil
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
