package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/reach"
	"fido-emu/fixtures/slots"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/inspect"
	"fido-emu/fixtures/slots/station"
	"fido-emu/fixtures/slots/strategy"
	"fido-emu/grammar"
)

// benchFlags is what every command about a bench is told.
type benchFlags struct {
	file   string
	asJSON bool
}

const benchFile = "bench.yaml"

func benchCommand(u ui) *cobra.Command {
	f := &benchFlags{}
	c := group("bench", "Benches of keys: check them, take slots, see how they have fared",
		benchCheckCommand(u, f), benchListCommand(u, f), benchHealthCommand(u, f), benchAcquireCommand(u, f), benchReleaseCommand(u, f),
		benchStateCommand(u, f), benchCalibrateCommand(u, f), benchClearCommand(u, f), benchMaintenanceCommand(u, f), benchSchemaCommand(u))
	c.PersistentFlags().StringVar(&f.file, "bench", benchFile, "file that describes the bench, docs/bench.md")
	return c
}

func (f *benchFlags) json(c *cobra.Command) {
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

// open reads the bench and opens its desk.
func (f *benchFlags) open(u ui) (*slots.Bench, *desk.Desk, error) {
	b, err := slots.Load(f.file)
	switch problems := (grammar.Problems)(nil); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, usage("name the file with --bench; fixtures/example-bench.yaml is one that needs no hardware", "there is no bench %s", f.file)
	case errors.As(err, &problems):
		return nil, nil, problemsOf(err)
	case err != nil:
		return nil, nil, usage("", "%w", err)
	}
	d, err := desk.Open(b, time.Now)
	if err != nil {
		return nil, nil, &exit{code: exitBench, err: err, hint: "bench.state in the file names another directory"}
	}
	return b, d, nil
}

// slotsNamed refuses slots that the bench has not.
func slotsNamed(b *slots.Bench, names []string) error {
	for _, name := range names {
		if b.Slot(name) != nil {
			continue
		}
		hint := "harness bench list --bench " + b.File + " lists the slots"
		if near := grammar.Nearest(name, b.Names()); near != "" {
			hint = "did you mean " + near + "?"
		}
		return usage(hint, "%s: bench %s has no slot %q", b.File, b.Name, name)
	}
	return nil
}

// at opens the bench for a command about some of its slots.
func (f *benchFlags) at(u ui, only ...string) (*slots.Bench, *desk.Desk, error) {
	b, d, err := f.open(u)
	if err == nil {
		err = slotsNamed(b, only)
	}
	return b, d, err
}

// outfit is a bench with what it takes to use its slots.
type outfit struct {
	bench     *slots.Bench
	desk      *desk.Desk
	owner     desk.Owner // this process
	env       station.Env
	equipment *station.Equipment
}

// outfit reads the bench, opens its desk and equips its slots; what says what for.
func (f *benchFlags) outfit(ctx context.Context, u ui, h reach.Hand, what string) (*outfit, error) {
	b, d, err := f.open(u)
	if err != nil {
		return nil, err
	}
	owner, err := desk.Me(what)
	if err != nil {
		return nil, err
	}
	known, err := d.Slots(ctx)
	if err != nil {
		return nil, err
	}
	env := station.Env{
		Now: time.Now, Rand: rand.Reader, Hand: h, Getenv: u.getenv,
		Press: func(slot string) time.Duration { return known[slot].Press },
	}
	return &outfit{b, d, owner, env, station.Equip(b, env)}, nil
}

// inspector returns who looks at a bench, at all slots or at those that are named.
func (f *benchFlags) inspector(ctx context.Context, u ui, what string, only ...string) (*inspect.Inspector, error) {
	o, err := f.outfit(ctx, u, &hand{u: u, again: sayAgain}, what)
	if err != nil {
		return nil, err
	}
	if err := slotsNamed(o.bench, only); err != nil {
		return nil, err
	}
	return &inspect.Inspector{Bench: o.bench, Desk: o.desk, Equipment: o.equipment, Env: o.env, Owner: o.owner, List: reach.List, Only: only}, nil
}

func benchSchemaCommand(u ui) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of benches, for editors",
		RunE:  func(*cobra.Command, []string) error { return u.printJSON(slots.Schema()) },
	}
}

// benchError gives errors of the desk their exit code and a hint.
func benchError(f *benchFlags, err error) error {
	taken, unusable, noPath := (*desk.Taken)(nil), (*desk.Unusable)(nil), (*strategy.NoPath)(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &taken) && taken.Reserved:
		return &exit{code: exitBench, err: err, hint: fmt.Sprintf("ask them, or: harness bench release %s --force --bench %s", taken.Slot, f.file)}
	case errors.As(err, &taken):
		return &exit{code: exitBench, err: err, hint: "wait for it with --wait 10m, or take another slot"}
	case errors.As(err, &unusable):
		return &exit{code: exitBench, err: err, hint: fmt.Sprintf("mend it, then: harness bench clear %s --bench %s", unusable.Slot, f.file)}
	case errors.As(err, &noPath):
		return usage("--destroy is the permission to reset or to lock the key; the rest stands in "+f.file, "%w", err)
	case errors.Is(err, reach.ErrNoKey):
		return &exit{code: exitNoDevice, err: err, hint: "harness bench check --bench " + f.file + " says what is wrong"}
	}
	return err
}
