package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"fido-emu/fixtures/reach"
	"fido-emu/fixtures/slots"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/station"
	"fido-emu/report"
	"fido-emu/scenarios"
	"fido-emu/scenarios/language"
)

// manySlots is how many slots the bench has.
const (
	manySlots      = 32
	parallelTarget = 1.25 // of the processor time of one scenario after the other
)

// rig is a bench of emulated slots in a folder of its own.
type rig struct {
	spec      *slots.Bench
	desk      *desk.Desk
	equipment *station.Equipment
	standing  openSlots
}

func newRig(dir string) (*rig, error) {
	text := "bench: {name: many, state: " + dir + "}\nslots:\n"
	for i := range manySlots {
		text += fmt.Sprintf("  slot-%02d: {emulate: %s}\n", i+1, []string{"security-key", "yubikey-5", "ctap23-key", "ctap20-key"}[i%4])
	}
	spec, err := slots.Parse(filepath.Join(dir, "bench.yaml"), []byte(text))
	if err != nil {
		return nil, err
	}
	d, err := desk.Open(spec, time.Now)
	env := station.Env{Now: time.Now, Rand: rand.Reader, Getenv: noVariables}
	return &rig{spec: spec, desk: d, equipment: station.Equip(spec, env)}, err
}

func noVariables(string) string { return "" }

func (r *rig) open(ctx context.Context, slot string, ear reach.Ear) (scenarios.Stand, error) {
	s, err := r.equipment.OpenHeard(ctx, slot, ear)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// play runs scenarios on the bench and returns the processor time that it took, that of
// the kernel included, and how many passed.
func (r *rig) play(ctx context.Context, all []*language.Scenario, parallel int) (time.Duration, int, error) {
	bench, err := scenarios.NewBench(ctx, scenarios.BenchOptions{
		Spec: r.spec, Desk: r.desk, Owner: desk.Owner{Who: "benchmark"}, Open: r.open, Rand: rand.Reader, Getenv: noVariables,
	})
	if err != nil {
		return 0, 0, err
	}
	before, err := processorTime()
	if err != nil {
		return 0, 0, err
	}
	stream := report.NewStream(time.Now)
	counts, err := scenarios.Run(ctx, all, scenarios.Options{Title: "benchmark", Bench: bench, Parallel: parallel}, stream)
	if err = errors.Join(err, stream.Close()); err != nil {
		return 0, 0, err
	}
	if bad := counts[report.Failed] + counts[report.Error] + counts[report.Timeout]; bad > 0 {
		return 0, 0, fmt.Errorf("on the bench: %v", counts)
	}
	after, err := processorTime()
	return after - before, counts[report.Passed], err
}

// processorTime is what this process has used so far.
func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// measureSlots runs what of the library runs on slots, on all of them side by side and on
// one after the other, in turn.
func measureSlots(ctx context.Context, e effort) ([]row, error) {
	dir, err := os.MkdirTemp("", "benchmark-slots-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r, err := newRig(dir)
	if err != nil {
		return nil, err
	}
	all, err := loadLibrary()
	if err != nil {
		return nil, err
	}
	memory, err := perThing(manySlots, func(int) (any, error) { return r.openAll(ctx) })
	if err != nil {
		return nil, err
	}
	if err := r.closeAll(); err != nil {
		return nil, err
	}
	var beside, after, ratios []float64
	passed := 0
	for range e.rounds()/3 + 1 {
		many, n, err := r.play(ctx, all, manySlots)
		if err != nil {
			return nil, err
		}
		one, _, err := r.play(ctx, all, 1)
		if err != nil {
			return nil, err
		}
		passed = n
		beside, after, ratios = append(beside, float64(many)), append(after, float64(one)), append(ratios, float64(many)/float64(one))
	}
	return []row{
		{
			Name: "library on 32 slots at once", Unit: "ns", Ours: median(beside), Floor: median(after), Ratio: median(ratios), Target: parallelTarget,
			Note: fmt.Sprintf("processor time, user and kernel, of the %d scenarios of the library that run on slots and do not wait; floor is the same one after the other", passed),
		},
		{Name: "memory of an open slot", Unit: "B", Ours: memory, Note: fmt.Sprintf("heap, over %d emulated slots that are open", manySlots)},
	}, r.equipment.Close()
}

// openSlots are stations that are open.
type openSlots []scenarios.Stand

// openAll opens all slots, and keeps them.
func (r *rig) openAll(ctx context.Context) (openSlots, error) {
	for _, name := range r.spec.Names() {
		s, err := r.open(ctx, name, nil)
		if err != nil {
			return nil, errors.Join(err, r.closeAll())
		}
		r.standing = append(r.standing, s)
	}
	return r.standing, nil
}

func (r *rig) closeAll() error {
	var errs []error
	for _, s := range r.standing {
		errs = append(errs, s.Close())
	}
	r.standing = nil
	return errors.Join(errs...)
}

// loadLibrary loads what of the library does not wait.
func loadLibrary() ([]*language.Scenario, error) {
	grammar, err := scenarios.Grammar()
	if err != nil {
		return nil, err
	}
	sources, err := scenarios.Library()
	if err != nil {
		return nil, err
	}
	all, err := scenarios.Load(sources, grammar)
	return slices.DeleteFunc(all, waits), err
}

// waits tells of a scenario that really waits for keys in slots, which takes no processor.
func waits(s *language.Scenario) bool {
	return slices.ContainsFunc(s.Steps, func(c language.Call) bool { return c.Usage.Verb == "wait" })
}
