package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
)

// remote finds a running emulator.
type remote struct{ socket string }

const controlUsage = "socket of the emulator (default: $" + control.Variable + ", or the one that is running)"

func (r *remote) add(c *cobra.Command) { c.Flags().StringVar(&r.socket, "control", "", controlUsage) }

// first returns the first of up to one argument.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// found is an emulator that answers.
type found struct {
	client *control.Client
	control.Emulator
}

// running asks all emulators that may be meant.
func (r *remote) running(ctx context.Context) ([]found, error) {
	named := r.socket
	if named == "" {
		named = os.Getenv(control.Variable)
	}
	sockets := []string{named}
	if named == "" {
		var err error
		if sockets, err = control.Sockets(); err != nil {
			return nil, err
		}
	}
	var all []found
	for _, s := range sockets {
		client := control.NewClient(s)
		e, err := client.Emulator(ctx)
		if named == "" && errors.Is(err, control.ErrNotRunning) { // one that was killed
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, found{client, e})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w; start one with 'fido-emu up', or name its socket with --control", control.ErrNotRunning)
	}
	return all, nil
}

// emulator returns the emulator of a name, or the only one.
func (r *remote) emulator(ctx context.Context, name string) (*control.Client, error) {
	all, err := r.running(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range all {
		if e.Name == name || name == "" && len(all) == 1 {
			return e.client, nil
		}
		names = append(names, e.Name)
	}
	if name == "" {
		return nil, usageError{fmt.Errorf("several emulators are running; name one of %s", strings.Join(names, ", "))}
	}
	return nil, fmt.Errorf("%w of the name %q; there are %s", control.ErrNotRunning, name, strings.Join(names, ", "))
}

// key returns the key of a name, which may be RACK/KEY, or the only key.
func (r *remote) key(ctx context.Context, name string) (*control.Client, emulator.Status, error) {
	all, err := r.running(ctx)
	if err != nil {
		return nil, emulator.Status{}, err
	}
	rack, key, within := strings.Cut(name, "/")
	if !within {
		rack, key = "", name
	}
	var client *control.Client
	var status emulator.Status
	var matching, names []string
	for _, e := range all {
		for _, k := range e.Keys {
			full := e.Name + "/" + k.Name
			names = append(names, full)
			if (key == "" || key == k.Name) && (rack == "" || rack == e.Name) {
				client, status = e.client, k
				matching = append(matching, full)
			}
		}
	}
	switch {
	case len(matching) == 0:
		return nil, status, fmt.Errorf("%w: %q; there are %s", emulator.ErrNoKey, name, strings.Join(names, ", "))
	case len(matching) > 1:
		return nil, status, usageError{fmt.Errorf("several keys are running; name one of %s", strings.Join(matching, ", "))}
	}
	return client, status, nil
}

// completeKeys completes the names of running keys.
func completeKeys(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := (&remote{}).running(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, e := range all {
		for _, k := range e.Keys {
			names = append(names, cobra.CompletionWithDesc(k.Name, k.Title))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeEmulators completes the names of running emulators.
func completeEmulators(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all, err := (&remote{}).running(c.Context())
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]cobra.Completion, len(all))
	for i, e := range all {
		names[i] = e.Name
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// absolutePath is a path that means the same to another process; empty stays empty.
func absolutePath(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return filepath.Abs(path)
}
