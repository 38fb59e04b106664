package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"fido-emu/fixtures/reach"
	"fido-emu/scenarios"
	"fido-emu/scenarios/world"
	"fido-emu/state"
)

// runBenchFlags is what the command line says about the bench of a run.
type runBenchFlags struct {
	file  string
	slots []string
	tags  string
}

const runBenchHelp = "\n\nWith --bench FILE the keys of the scenarios are those in the slots of a bench (docs/bench.md),\n" +
	"touched and switched by what the bench has for it; scenarios run in parallel, as many as there\n" +
	"are slots. A device goes into a slot with the tags that it asks for (devices: key: {profile:\n" +
	"yubikey-5, tags: [usb-c]}) and a key that can do what its model can. Devices with a TPM or on a\n" +
	"sync account go into slots of exactly their model where that makes no difference to the\n" +
	"scenario, and stand beside the slots, emulated, where it does. What the bench does wrong is an\n" +
	"error and counts against the slot; the scenario is tried again on another one."

func (f *runBenchFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.file, "bench", "", "file that describes a bench; its keys stand for the devices")
	flags.StringArrayVar(&f.slots, "slot", nil, "with --bench: use this slot only; may be repeated")
	flags.StringVar(&f.tags, "tags", "", "with --bench: use only slots with such tags, as in 'usb-c && !nfc'")
}

// open opens the bench, nil where there is none. done lets go of its boards.
func (f runBenchFlags) open(ctx context.Context, u ui, h reach.Hand, run string, harm world.Harm) (b *scenarios.Bench, done func() error, err error) {
	nothing := func() error { return nil }
	if f.file == "" {
		if len(f.slots) > 0 || f.tags != "" {
			return nil, nil, usage("", "--slot and --tags choose slots of a --bench")
		}
		return nil, nothing, nil
	}
	o, err := (&benchFlags{file: f.file}).outfit(ctx, u, h, "harness run "+run)
	if err == nil {
		err = slotsNamed(o.bench, f.slots)
	}
	if err != nil {
		return nil, nil, err
	}
	b, err = scenarios.NewBench(ctx, scenarios.BenchOptions{
		Spec: o.bench, Desk: o.desk, Owner: o.owner, Rand: o.env.Rand, Getenv: u.getenv, Slots: f.slots, Tags: f.tags, Harm: harm,
		Open: func(ctx context.Context, slot string, ear reach.Ear) (scenarios.Stand, error) {
			s, err := o.equipment.OpenHeard(ctx, slot, ear)
			if err != nil {
				return nil, err // and no Stand that is not nil
			}
			return s, nil
		},
	})
	if err != nil {
		return nil, nil, f.refused(err)
	}
	if err := b.Idle(); err != nil {
		return nil, nil, &exit{code: exitBench, err: fmt.Errorf("bench %s: %w", o.bench.Name, err), hint: "mend them, then: harness bench check --bench " + f.file + ", or: harness bench clear SLOT --bench " + f.file}
	}
	return b, o.equipment.Close, nil
}

// refused is the exit of a bench that cannot be prepared: what is asked of it, or its
// files.
func (f runBenchFlags) refused(err error) error {
	if _, ok := errors.AsType[*state.Error](err); ok {
		return &exit{code: exitBench, err: err}
	}
	return &exit{code: exitUsage, err: err, hint: "harness bench list --bench " + f.file + " lists the slots with their tags"}
}
