package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/automation"
	"fido-emu/fixtures/emulator/robot"
)

// automationVariable is the environment variable that tells a command where its keys
// are touched and have their power cut.
const automationVariable = "FIDO_EMU_AUTOMATION"

// automationFlags say where test suites find a robot for the keys.
type automationFlags struct {
	address, results string
}

func (f *automationFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.address, "automation", "", "let test suites touch the keys and cut their power over HTTP, at an address such as "+automation.DefaultAddress+"; then --touch is manual unless it is given (docs/automation.md)")
	c.Flags().StringVar(&f.results, "automation-results", "", "file that keeps the results that the FIDO conformance tool reports, as JSON")
}

// adapt makes a key wait for the suite that touches it.
func (f *automationFlags) adapt(c *cobra.Command, keys *keyFlags) error {
	if f.address == "" && f.results != "" {
		return usageError{fmt.Errorf("--automation-results is for --automation; add --automation %s", automation.DefaultAddress)}
	}
	if f.address != "" && keys.rack == "" && !c.Flags().Changed("touch") {
		keys.touch = "manual"
	}
	return nil
}

// automate serves the conventions of test suites for the keys until the emulator ends.
func (r *running) automate(f automationFlags, log io.Writer) error {
	if f.address == "" {
		return nil
	}
	l, err := automation.Listen(r.ended, f.address)
	if _, network := errors.AsType[*net.OpError](err); network {
		return codeError{exitBench, err}
	} else if err != nil {
		return usageError{err}
	}
	log = prefixed{log}
	if !l.Loopback() {
		fmt.Fprintf(log, "whoever reaches %s can touch the keys and cut their power\n", l.URL())
	}
	r.automation = l.URL()
	hands := robot.New(r.rack)
	handler := automation.Handler(hands, automation.Options{Results: f.keep(log), AnyHost: !l.Loopback()})
	r.told.Go(func() {
		defer hands.Close()
		if err := l.Serve(r.ended, handler); err != nil {
			fmt.Fprintf(log, "automation at %s has ended: %v\n", l.URL(), err)
		}
	})
	return nil
}

// keep tells the results of a suite, and writes them to the file for them.
func (f *automationFlags) keep(log io.Writer) func([]byte, *automation.Results, error) error {
	return func(body []byte, parsed *automation.Results, problem error) error {
		if problem != nil {
			fmt.Fprintf(log, "results of another form than known: %v\n", problem)
		} else {
			fmt.Fprintf(log, "results of %v\n", parsed)
		}
		if f.results == "" {
			return nil
		}
		if err := os.WriteFile(f.results, body, 0o644); err != nil {
			fmt.Fprintf(log, "the results are not kept: %v\n", err)
			return err
		}
		return nil
	}
}
