package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"time"

	"fido-emu/ctap"
)

// Options says how a run is to be.
type Options struct {
	Rand io.Reader // where all randomness of the platform comes from; required
	// AllowDestructive allows cases, and resets between them, that destroy what is on
	// the authenticator.
	AllowDestructive bool
	PIN              string            // that is set on the authenticator, where it is to be kept; secret
	Statement        *Statement        // metadata of the model; nil for the target's own, if it is [Described]
	Timeout          time.Duration     // real time that a case may take beyond its Waits; a minute when zero
	MaxWait          time.Duration     // cases that have to wait longer are not run; 0 for all
	Done             map[string]Result // results of an earlier run, by id, that need not be had again
	Observer         Observer          // may be nil
	// Strict makes an error of a case that does what it does not announce: asking for
	// the user without Hands, changing what lasts without Destructive.
	Strict bool
}

// Observer is told how a run goes on.
type Observer interface {
	Begins(c *Case, number, of int) // number from 1
	Ends(r *Result)
}

const defaultTimeout = time.Minute

// Execute runs cases on a target and returns what came of each, in their order. The
// order in which they run is another, so that few resets are needed. When ctx ends,
// or the authenticator answers no more, the rest is not run and Report.Stopped says
// why. The error is that the authenticator could not be reached at all.
func Execute(ctx context.Context, t Target, cases []Case, o Options) (*Report, error) {
	began := time.Now()
	b := &bench{target: t, rand: o.Rand, pin: o.PIN, kept: map[Start]kept{}}
	if err := errors.Join(b.learn(ctx), b.learnStatement(o.Statement)); err != nil {
		return nil, errors.Join(err, b.hangUp())
	}
	b.state.pin = o.PIN
	b.state.unsure = b.facts.Info != nil && !b.keeps() // nothing is known of what is on it
	report := &Report{Subject: b.subject(), Results: make([]Result, len(cases))}
	runner := &runner{bench: b, options: o, report: report}
	for n, i := range order(cases) {
		if o.Observer != nil {
			o.Observer.Begins(&cases[i], n+1, len(cases))
		}
		report.Results[i] = runner.result(ctx, &cases[i])
		if o.Observer != nil {
			o.Observer.Ends(&report.Results[i])
		}
	}
	report.Took = time.Since(began)
	return report, b.hangUp()
}

func (b *bench) keeps() bool {
	_, ok := b.target.(Keeper)
	return ok
}

func (b *bench) subject() Subject {
	s := Subject{Reached: b.target.About(), Info: b.info, Begun: b.target.Now()}
	if b.facts.Info != nil && len(b.facts.Info.AAGUID) == 16 {
		s.AAGUID = ctap.AAGUID(b.facts.Info.AAGUID).String()
	}
	return s
}

// order returns the indexes of cases in the order in which they run: what needs no
// state first, then blank ones, then those with a PIN, and in each part those last
// that destroy.
func order(cases []Case) []int {
	rank := func(i int) int {
		r := map[Start]int{Any: 0, Blank: 2, WithPIN: 4}[cases[i].Start]
		if cases[i].Destructive {
			r++
		}
		return r
	}
	indexes := make([]int, len(cases))
	for i := range cases {
		indexes[i] = i
	}
	slices.SortStableFunc(indexes, func(a, b int) int { return rank(a) - rank(b) })
	return indexes
}

// runner runs one case after the other.
type runner struct {
	bench   *bench
	options Options
	report  *Report
}

// result runs a case, or says why not.
func (x *runner) result(ctx context.Context, c *Case) Result {
	result := Result{ID: c.ID, Group: c.Group(), Document: c.Rule.Document, Section: c.Rule.Section, Editions: c.Rule.Editions, Why: c.Why}
	if done, ok := x.options.Done[c.ID]; ok && done.Outcome != NotRun && done.Outcome != Errored {
		return done
	}
	if ctx.Err() != nil && x.report.Stopped == "" {
		x.report.Stopped = "interrupted"
	}
	if why := c.lacking(&x.bench.facts); why != "" {
		result.Outcome, result.Reason = NotApplicable, why
		return result
	}
	if result.Reason = x.refusal(c); result.Reason != "" {
		result.Outcome = NotRun
		return result
	}
	x.run(ctx, c, &result)
	return result
}

// refusal says why a case cannot be run, empty when it can.
func (x *runner) refusal(c *Case) string {
	switch missing := c.Hands.lacks(x.bench.target); {
	case x.report.Stopped != "":
		return x.report.Stopped
	case c.Destructive && !x.options.AllowDestructive:
		return "destructive: --allow-destructive"
	case missing != 0:
		return "nobody here can " + missing.String()
	case x.options.MaxWait > 0 && c.waits() > x.options.MaxWait:
		return fmt.Sprintf("it waits for %v: --max-wait", c.waits())
	}
	return ""
}

// run runs a case in the state that it begins in.
func (x *runner) run(ctx context.Context, c *Case, result *Result) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, x.timeout()+c.Waits)
	defer cancel()
	if err := x.bench.bring(ctx, c.Start, x.options.AllowDestructive); err != nil {
		x.notBrought(err, result)
		return
	}
	r := &Run{Case: c, ctx: ctx, bench: x.bench, began: x.bench.target.Now()}
	result.Began = r.began
	err := r.execute()
	err = errors.Join(err, r.tidy())
	x.judge(r, err, result)
	result.Took = time.Since(began)
	x.probe(context.WithoutCancel(ctx))
}

func (x *runner) timeout() time.Duration {
	if x.options.Timeout > 0 {
		return x.options.Timeout
	}
	return defaultTimeout
}

// notBrought says why the state that a case begins in could not be had.
func (x *runner) notBrought(err error, result *Result) {
	result.Outcome, result.Reason = NotRun, err.Error()
	if !errors.Is(err, errNeedsReset) {
		result.Outcome = Errored
		x.bench.state.unsure = true
	}
}

// execute runs the case and returns what is wrong with the bench.
func (r *Run) execute() (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil, abort:
		case fault:
			err = p.err
		default:
			err = fmt.Errorf("the case panics: %v\n%s", p, debug.Stack())
		}
	}()
	if r.Case.Hands&^Replug != 0 {
		r.Broken(r.bench.target.Plan(r.ctx, Touch))
	}
	r.Case.Run(r)
	return nil
}

// tidy ends what a case left open.
func (r *Run) tidy() (err error) {
	if r.raw != nil {
		err = r.raw.conn.Close()
		r.raw = nil
	}
	if r.Case.Hands&^(Replug|Touch) != 0 {
		err = errors.Join(err, r.bench.target.Plan(context.WithoutCancel(r.ctx), Touch))
	}
	return err
}

// judge works out the outcome.
func (x *runner) judge(r *Run, err error, result *Result) {
	result.Failures, result.Deviations, result.Sent = r.failures, r.deviations, len(r.exchanges)
	interrupted := errors.Is(r.ctx.Err(), context.Canceled)
	switch {
	case interrupted:
		x.report.Stopped = "interrupted"
		result.Outcome, result.Reason, result.Failures = NotRun, "interrupted", nil
	case len(r.failures) > 0:
		result.Outcome = Failed
	case err != nil:
		result.Outcome, result.Reason = Errored, err.Error()
	case x.options.Strict && r.unannounced() != "":
		result.Outcome, result.Reason = Errored, r.unannounced()
	case len(r.deviations) > 0:
		result.Outcome = Tolerated
	default:
		result.Outcome = Passed
	}
	if result.Outcome != Passed {
		result.Exchanges = r.exchanges
		x.bench.state.unsure = x.bench.state.unsure || result.Outcome != Tolerated && r.Case.Destructive
	}
}

// unannounced says what the case did that it did not announce.
func (r *Run) unannounced() string {
	switch {
	case r.asked && r.Case.Hands&^Replug == 0:
		return "the authenticator asked for its user, and the case does not say Touch"
	case r.changed && !r.Case.Destructive:
		return "the case changed what lasts, and does not say that it is destructive"
	}
	return ""
}

// probeTimeout is how long an authenticator that fell silent has to show life.
const probeTimeout = 10 * time.Second

// probe looks whether an authenticator that fell silent is still there, if need be
// after a power cycle; otherwise the run stops.
func (x *runner) probe(ctx context.Context) {
	b := x.bench
	if !b.silent && !b.lost {
		return
	}
	b.silent, b.lost = false, false
	err := errors.Join(b.hangUp(), x.alive(ctx))
	if err != nil && b.target.Can(Replug) {
		if err = b.powerCycle(ctx); err == nil {
			err = x.alive(ctx)
		}
	}
	if err != nil {
		x.report.Stopped = fmt.Sprintf("the authenticator answers no more: %v", err)
	}
}

func (x *runner) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if x.bench.facts.Info == nil {
		_, err := x.bench.open(ctx)
		return err
	}
	_, _, err := x.bench.send(ctx, ctap.GetInfo, nil)
	return err
}
