package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
)

func upCommand() *cobra.Command {
	var f keyFlags
	var robot automationFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "up",
		Short: "Run a key, or a rack of keys, until interrupted",
		Long: "Runs in the foreground and prints where the keys are. They are handled from elsewhere with the other\n" +
			"commands, through a socket that is the user's alone. Interrupt, 'fido-emu down' or SIGTERM end it and\n" +
			"leave nothing behind but the state directories.",
		Example: "  fido-emu up --profile yubikey-5 --state ~/keys/work\n" +
			"  fido-emu up --transport udp --touch manual\n" +
			"  fido-emu up --rack bench.yaml\n" +
			"  fido-emu up --automation localhost:3000       # touched by a test suite",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := robot.adapt(c, &f); err != nil {
				return err
			}
			name, configs, err := f.configs(c)
			if err != nil {
				return err
			}
			r, err := bringUp(c.Context(), name, configs, c.ErrOrStderr())
			if err != nil {
				return err
			}
			err = r.automate(robot, c.ErrOrStderr())
			if err == nil {
				err = r.announce(c.OutOrStdout(), asJSON)
			}
			if err == nil {
				<-r.ended.Done()
			}
			return errors.Join(err, r.down())
		},
	}
	f.add(c)
	robot.add(c)
	addJSON(c, &asJSON)
	return c
}

// addJSON adds the flag that every command has that prints.
func addJSON(c *cobra.Command, asJSON *bool) {
	c.Flags().BoolVar(asJSON, "json", false, "print JSON")
}

// upReport is what up prints as JSON, once, when the keys are there.
type upReport struct {
	Name       string            `json:"name"`
	PID        int               `json:"pid"`
	Control    string            `json:"control"`
	Automation string            `json:"automation,omitempty"`
	Keys       []emulator.Status `json:"keys"`
}

// announce says where the keys are.
func (r *running) announce(w io.Writer, asJSON bool) error {
	keys, err := r.statuses()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, upReport{r.rack.Name(), os.Getpid(), r.socket.Path, r.automation, keys})
	}
	for _, k := range keys {
		why := ""
		if k.Why != "" {
			why = ": " + k.Why
		}
		if _, err := fmt.Fprintf(w, "%s (%s) is at %s, through %s%s\n", k.Name, k.Title, k.Address, k.Transport, why); err != nil {
			return err
		}
	}
	if r.automation != "" {
		if _, err := fmt.Fprintf(w, "automated at %s\n", r.automation); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "controlled at %s\n", r.socket.Path)
	return err
}

func downCommand() *cobra.Command {
	var at remote
	c := &cobra.Command{
		Use:               "down [NAME]",
		Short:             "End a running emulator",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeEmulators,
		RunE: func(c *cobra.Command, args []string) error {
			client, err := at.emulator(c.Context(), first(args))
			if err != nil {
				return err
			}
			var e control.Emulator
			if err := client.Do(c.Context(), http.MethodPost, "/v1/shutdown", nil, &e); err != nil {
				return err
			}
			return result(c, e, "%s ends", e.Name)
		},
	}
	at.add(c)
	addJSON(c, new(bool))
	return c
}
