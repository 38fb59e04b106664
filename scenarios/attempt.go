package scenarios

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"fido-emu/report"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// attempt is one attempt at a scenario, from its first step, in a world of its own.
type attempt struct {
	*suite
	scenario *language.Scenario
	loan     *loan
	number   int          // 1 for the first
	evidence *evidence    // nil where none is kept
	step     atomic.Int64 // under way, 1 for the first; 0 outside of steps
}

// verdict is how a step or a scenario ended, and why.
type verdict struct {
	outcome report.Outcome
	text    string // why it was skipped or aborted
	failure *report.Failure
	faults  []world.Fault // of the bench; with any, the outcome is error
	tidy    bool          // the world was closed in order
	unsure  []string      // slots with keys of which is not known what the attempt left on them
	broken  error         // the harness itself fell over
}

// emit sends an event that belongs to this attempt.
func (a *attempt) emit(e report.Event) {
	e.ScenarioID, e.StepIndex, e.Attempt = a.scenario.ID, int(a.step.Load()), a.number
	if a.evidence != nil {
		a.evidence.note(e)
	}
	a.stream.Emit(e)
}

func (a *attempt) run(ctx context.Context) verdict {
	began := time.Now()
	described := a.suite.scenario(a.scenario, a.loan.bound)
	a.loan.seat(described.Devices)
	a.emit(report.Event{Kind: report.ScenarioStart, Scenario: described})
	v, reached := a.steps(ctx)
	a.step.Store(0)
	a.keepEvidence(v)
	described = a.suite.scenario(a.scenario, a.loan.bound)
	if reached != nil {
		described.Devices = reached
	}
	a.loan.seat(described.Devices)
	if v.outcome.Bad() && len(v.faults) == 0 && a.number > a.Retries {
		described.Attempts = a.number // further ones are for faults of a bench
	}
	a.emit(report.Event{Kind: report.ScenarioEnd, Scenario: described, Outcome: v.outcome, Text: v.text, Failure: v.failure, Duration: time.Since(began)})
	return v
}

// keepEvidence keeps what was said, if the attempt went wrong.
func (a *attempt) keepEvidence(v verdict) {
	if a.evidence == nil || !v.outcome.Bad() {
		return
	}
	notes, err := a.evidence.keep(a.Reports, a.scenario.ID, a.number)
	if err != nil {
		notes = append(notes, report.Event{Kind: report.Note, Text: "Not all evidence could be kept: " + err.Error()})
	}
	for _, n := range notes {
		a.emit(n)
	}
}

// steps makes the world and runs the steps in it until one does not pass; those
// behind it are skipped.
// It also says how the devices were reached, nil when there was no world.
func (a *attempt) steps(ctx context.Context) (sum verdict, reached []report.Device) {
	sum = verdict{outcome: report.Passed}
	if why := cmp.Or(a.scenario.Skip, a.loan.why, a.beyondReal()); why != "" {
		sum = verdict{outcome: report.Skipped, text: why}
	}
	if broken := a.loan.broken; len(broken) > 0 && a.scenario.Skip == "" {
		sum = fault(a.scenario.At, fmt.Errorf("without %s, which is set aside, %s", strings.Join(broken, " and "), a.loan.why))
		sum.failure.Hint = "mend slot " + strings.Join(broken, " and slot ") + ", then: harness bench clear SLOT"
	}
	if f := a.loan.fault(); f != nil && sum.outcome == report.Passed {
		sum = blamed(a.scenario.At, []world.Fault{*f})
	}
	var w *world.World
	if sum.outcome == report.Passed && !a.interrupted(ctx, &sum) {
		w, sum = a.open(ctx)
	}
	for i, call := range a.scenario.Steps {
		a.step.Store(int64(i + 1))
		if sum.outcome != report.Passed || a.interrupted(ctx, &sum) {
			a.skip(call, sum)
			continue
		}
		sum = a.one(ctx, w, call)
	}
	if w != nil {
		reached = w.Reached()
		sum = a.close(w, sum)
	}
	sum.tidy = true
	return sum, reached
}

// close closes the world.
func (a *attempt) close(w *world.World, sum verdict) verdict {
	err := w.Close()
	if faults := w.Faults(); len(faults) > len(sum.faults) {
		sum = a.blame(w, a.scenario.At, sum)
		sum.faults = faults
	} else if err != nil && sum.outcome == report.Passed {
		sum = fault(a.scenario.At, fmt.Errorf("cleaning up: %w", err))
	}
	for _, t := range a.loan.lent {
		if w.Unsure(t.slot.Name) {
			sum.unsure = append(sum.unsure, t.slot.Name)
		}
	}
	return sum
}

// interrupted tells whether the run is to end, and says so in sum.
func (a *attempt) interrupted(ctx context.Context, sum *verdict) bool {
	if ctx.Err() == nil && a.ctx.Err() == nil {
		return false
	}
	*sum = aborted()
	return true
}

// open makes the world, within the time that a step has.
func (a *attempt) open(ctx context.Context) (w *world.World, v verdict) {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	o := a.suite.world(a.loan.bound)
	o.Emit, o.Harmed = a.emit, a.harmed()
	if a.evidence != nil {
		o.Hear = a.evidence.hear
	}
	err := safely(func() (err error) {
		w, err = world.New(ctx, a.scenario, o)
		return err
	})
	if err != nil {
		return w, a.blame(w, a.scenario.At, judge(ctx, language.Call{At: a.scenario.At}, err))
	}
	return w, verdict{outcome: report.Passed}
}

func (a *attempt) skip(call language.Call, why verdict) {
	text := "an earlier step ended as " + string(why.outcome)
	if why.outcome == report.Skipped || why.outcome == report.Aborted {
		text = why.text
	}
	step := describeStep(call)
	a.emit(report.Event{Kind: report.StepStart, Device: call.Device(), Step: step})
	a.emit(report.Event{Kind: report.StepEnd, Device: call.Device(), Step: step, Outcome: report.Skipped, Text: text})
}

// one runs one step.
func (a *attempt) one(ctx context.Context, w *world.World, call language.Call) verdict {
	step, began := describeStep(call), time.Now()
	a.emit(report.Event{Kind: report.StepStart, Device: call.Device(), Step: step})
	limit := call.Timeout
	if limit == 0 {
		limit = a.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	v := judge(ctx, call, a.within(ctx, w, call))
	if over := w.TakeExcess(); len(over) > 0 && v.outcome == report.Passed {
		v = failed(call, over[0].Text, "the limits of the scenario are too tight for this device and its wire, or it is too slow", over[0].Device)
	}
	if v.failure != nil && v.outcome == report.Timeout {
		v.failure.Hint = fmt.Sprintf("the step has %v; give it more with timeout: in the step, or --timeout", limit)
	}
	v = a.blame(w, call.At, v)
	a.emit(report.Event{Kind: report.StepEnd, Device: call.Device(), Step: step, Outcome: v.outcome, Text: v.text, Failure: v.failure, Duration: time.Since(began)})
	return v
}

// blame makes an error of what the bench did to a step, whatever the step made of it.
func (a *attempt) blame(w *world.World, at report.Location, v verdict) verdict {
	if w == nil || v.outcome == report.Aborted {
		return v
	}
	faults := w.Faults()
	if len(faults) == 0 {
		return v
	}
	return blamed(at, faults)
}

// blamed is the verdict on what a bench did.
func blamed(at report.Location, faults []world.Fault) verdict {
	f := faults[0]
	v := fault(at, f.Err)
	v.failure.Device = f.Device
	v.failure.Hint = "this is a fault of slot " + f.Slot + ", and neither of the device nor of the relying party: harness bench check looks at it"
	v.faults = faults
	return v
}

// within runs the step and gives it up when its time is over, should it not heed
// its context.
func (a *attempt) within(ctx context.Context, w *world.World, call language.Call) error {
	done := make(chan error, 1)
	go func() {
		done <- safely(func() error {
			w.Wait(pace)
			resolved, err := call.Resolve(w.Lookup)
			if err != nil {
				return err
			}
			return a.suite.steps[call.Usage.Verb].Run(ctx, w, resolved)
		})
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // it heeded
		return err
	case <-time.After(grace):
		return context.Cause(ctx)
	}
}

// grace is how long a step has to return once its context is cancelled.
const grace = 2 * time.Second

// pace is how much of the scenario's time a step takes by itself, so that what is
// newer has a later date.
const pace = time.Second

// safely makes an error of a panic.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
