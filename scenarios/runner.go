package scenarios

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/extensions/globals"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"

	"fido-emu/fixtures/reach"
	"fido-emu/identity/document"
	"fido-emu/report"
	"fido-emu/scenarios/coverage"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/steps"
	"fido-emu/scenarios/world"
)

// Options says how scenarios are run.
type Options struct {
	Title   string
	Version string
	Seed    *uint64       // nil for a run that is not seeded
	Retries int           // further attempts at a scenario that did not pass
	Timeout time.Duration // of a step that names none, in real time; 30 s when 0
	Steps   []steps.Step  // [steps.All] when nil
	Via     *reach.Way    // how emulated devices are reached; nil for within this process

	RP *world.Elsewhere // the relying party, where it is not the reference one in this process

	TPM string // node of the TPM that devices with one have; empty for simulated ones

	// Reports is the folder of the reports, where the messages of an attempt that went
	// wrong are kept, and captures of its wires; empty for none.
	Reports string

	Bound map[string]world.Bound // keys that stand for devices, by the name of the device
	Hand  reach.Hand             // serves the bound keys; required with any
	Harm  world.Harm             // which bound keys may be harmed

	// Parallel is how many scenarios may run at the same time; 0 is one. What happens in
	// them interleaves in the stream; within a scenario nothing changes.
	Parallel int

	Bench *Bench // lends the slots of a bench to the devices that are not bound; nil for none
}

// suite is one run.
type suite struct {
	Options
	ctx    context.Context
	stream *report.Stream
	steps  map[string]steps.Step
	counts map[report.Outcome]int // guarded by the pool's mutex

	archive *document.Archive // of the documents and faces in this run
}

// running guards Ginkgo, whose tree belongs to the process.
var running sync.Mutex

// Run runs the scenarios, as many at a time as o allows, and returns how many ended
// with each outcome. What happens goes to stream, which Run does not close. Cancelling ctx,
// or an interrupt from the keyboard, ends the run in good order: what had not
// ended is aborted. The error is the harness's own.
func Run(ctx context.Context, all []*language.Scenario, o Options, stream *report.Stream) (map[report.Outcome]int, error) {
	running.Lock()
	defer running.Unlock()
	s := newSuite(ctx, o, stream)
	stream.Emit(report.Event{Kind: report.RunStart, Run: s.describe(all)})
	if s.Seed != nil && (s.Via != nil || s.Bench != nil || len(s.Bound) > 0) {
		stream.Emit(report.Event{Kind: report.Note, Text: seededOverWire})
	}
	err := s.ginkgo(all)
	if missing := len(all) - total(s.counts); missing > 0 {
		s.counts[report.Aborted] += missing
	}
	end := report.Event{Kind: report.RunEnd, Run: &report.Run{Title: s.Title, Version: s.Version, Seed: s.Seed, Scenarios: len(all), Counts: s.counts}}
	if s.Bench != nil {
		end.Run.Slots = s.Bench.uses()
	}
	stream.Emit(end)
	return s.counts, err
}

// seededOverWire is what somebody who compares two runs has to know.
const seededOverWire = "The run is seeded and its devices are behind a wire: it has the same outcomes every time; that all its messages are the same too is promised in process only."

func newSuite(ctx context.Context, o Options, stream *report.Stream) *suite {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Steps == nil {
		o.Steps = steps.All()
	}
	s := &suite{Options: o, ctx: ctx, stream: stream, steps: map[string]steps.Step{}, counts: map[report.Outcome]int{}, archive: document.NewArchive()}
	for _, step := range o.Steps {
		s.steps[step.Verb] = step
	}
	return s
}

func total(counts map[report.Outcome]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func (s *suite) describe(all []*language.Scenario) *report.Run {
	run := &report.Run{Title: s.Title, Version: s.Version, Seed: s.Seed, Scenarios: len(all)}
	for _, r := range coverage.Rows() {
		run.Rules = append(run.Rules, report.Rule{ID: r.ID, Group: r.Group, Text: r.Rule, NotYet: r.NotYet})
	}
	for _, sc := range all {
		run.Plan = append(run.Plan, *s.scenario(sc, s.Bound))
	}
	return run
}

// ginkgo builds the tree and runs it, with a pool of workers behind it. Ginkgo times,
// asks for retries and takes care of interrupts; its own reporter is silenced, as
// reports are drawn from our events. On standard error it says why it ends the process.
func (s *suite) ginkgo(all []*language.Scenario) error {
	if len(all) == 0 {
		return nil
	}
	globals.Reset()
	repeatable()
	stdout := formatter.ColorableStdOut
	formatter.ColorableStdOut = io.Discard
	defer func() { formatter.ColorableStdOut = stdout }()

	p := s.newPool(all)
	var broken error
	ginkgo.BeforeSuite(p.start) // which is when Ginkgo has begun to listen for interrupts
	ginkgo.Describe(s.Title, ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
		for _, j := range p.jobs {
			ginkgo.It(j.scenario.ID, at(j.scenario.At), ginkgo.Label(j.scenario.Labels...), ginkgo.FlakeAttempts(s.attempts()), func(ctx ginkgo.SpecContext) {
				tell(p.verdict(ctx, j))
			})
		}
	})
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	suiteConfig.RandomSeed, suiteConfig.Timeout, suiteConfig.FlakeAttempts = 1, 24*time.Hour, 0
	suiteConfig.FocusStrings, suiteConfig.SkipStrings, suiteConfig.LabelFilter = nil, nil, ""
	reporterConfig.NoColor, reporterConfig.Succinct = true, true
	ginkgo.ReportAfterSuite("gather", func(r types.Report) { broken = suiteError(r) })
	ginkgo.RunSpecs(quiet{}, s.Title, suiteConfig, reporterConfig)
	p.end()
	return errors.Join(distinct(append(p.problems, broken))...)
}

// repeatable lets go test -count run a suite again. Ginkgo refuses more than one, because
// its tree is good for one run; ours is reset. It looks for a flag count before test.count.
func repeatable() {
	if flag.Lookup("test.count") != nil && flag.Lookup("count") == nil {
		flag.Int("count", 1, "what Ginkgo believes of -test.count")
	}
}

// distinct leaves out what was said before: a full disk is full for every slot.
func distinct(errs []error) (once []error) {
	for _, err := range errs {
		if err != nil && !slices.ContainsFunc(once, func(o error) bool { return o.Error() == err.Error() }) {
			once = append(once, err)
		}
	}
	return once
}

// tell tells Ginkgo how an attempt ended.
func tell(v verdict) {
	switch {
	case v.broken != nil:
		panic(v.broken)
	case v.outcome == report.Skipped || v.outcome == report.Aborted:
		ginkgo.Skip(v.text)
	case v.outcome.Bad():
		ginkgo.Fail(v.failure.Message)
	}
}

// quiet stands where Ginkgo expects a test: what fails is told by the events.
type quiet struct{}

func (quiet) Fail() {}

func at(l report.Location) types.CodeLocation {
	return types.CodeLocation{FileName: l.File, LineNumber: l.Line}
}

// suiteError returns what went wrong in Ginkgo itself and not in a scenario.
func suiteError(r types.Report) error {
	var errs []error
	for _, reason := range r.SpecialSuiteFailureReasons {
		if reason != "Interrupted by User" {
			errs = append(errs, errors.New(reason))
		}
	}
	for _, spec := range r.SpecReports {
		if spec.State == types.SpecStatePanicked {
			errs = append(errs, fmt.Errorf("%s: %s", spec.LeafNodeText, spec.Failure.ForwardedPanic))
		}
	}
	return errors.Join(errs...)
}
