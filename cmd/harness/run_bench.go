package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/spf13/pflag"

	"fido-emu/fixtures/reach"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/station"
	"fido-emu/scenarios"
	"fido-emu/scenarios/world"
)

// runBenchFlags is what the command line says about the bench of a run.
type runBenchFlags struct {
	file  string
	slots []string
	tags  string
}

const runBenchHelp = "\n\nWith --bench FILE the keys of the scenarios are those in the slots of a bench (docs/bench.md),\n" +
	"touched and switched by what the bench has for it; scenarios run in parallel, as many as there\n" +
	"are slots. Devices of sync accounts and with a TPM stand beside them, emulated. A device goes\n" +
	"into a slot with the tags that it asks for (devices: key: {profile: yubikey-5, tags: [usb-c]})\n" +
	"and a key that can do what its model can. What the bench does wrong is an error and counts\n" +
	"against the slot; the scenario is tried again on another one."

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
	spec, d, err := (&benchFlags{file: f.file}).open(u)
	if err != nil {
		return nil, nil, err
	}
	owner, err := desk.Me("harness run " + run)
	if err != nil {
		return nil, nil, err
	}
	known, err := d.Slots(ctx)
	if err != nil {
		return nil, nil, err
	}
	equipment := station.Equip(spec, station.Env{
		Now: time.Now, Rand: rand.Reader, Hand: h, Getenv: u.getenv,
		Press: func(slot string) time.Duration { return known[slot].Press },
	})
	b, err = scenarios.NewBench(ctx, scenarios.BenchOptions{
		Spec: spec, Desk: d, Owner: owner, Rand: rand.Reader, Getenv: u.getenv, Slots: f.slots, Tags: f.tags, Harm: harm,
		Open: func(ctx context.Context, slot string, ear reach.Ear) (scenarios.Stand, error) {
			s, err := equipment.OpenHeard(ctx, slot, ear)
			if err != nil {
				return nil, err // and no Stand that is not nil
			}
			return s, nil
		},
	})
	if err != nil {
		return nil, nil, &exit{code: exitUsage, err: err}
	}
	return b, equipment.Close, nil
}
