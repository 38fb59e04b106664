package conformance

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"fido-emu/ctap"
)

// Run is one case that is under way: the authenticator, the bench, and the protocol
// of what happened. What a case finds wrong ends it ([Run.Fail], and the Want of a
// [Reply]); [Run.Check] goes on.
type Run struct {
	Case *Case

	ctx   context.Context
	bench *bench
	began time.Time
	info  *ctap.Info // nil until it is asked for
	raw   *Raw       // nil until it is opened
	doing string

	mu         sync.Mutex // a keepalive comes from another goroutine
	exchanges  []Exchange
	failures   []Failure
	deviations []SeenDeviation
	asked      bool // the authenticator asked for its user
	changed    bool // something lasting was changed
}

// abort is what ends a case that failed; its failure is recorded.
type abort struct{}

// fault is what ends a case that the bench cannot go on with.
type fault struct{ err error }

// Context ends when the case runs out of time, or the run is interrupted.
func (r *Run) Context() context.Context { return r.ctx }

// Rand is where all randomness of the case comes from.
func (r *Run) Rand() io.Reader { return r.bench.rand }

// Facts is what the authenticator said of itself before the first case.
func (r *Run) Facts() *Facts { return &r.bench.facts }

// Doing says in words what the next requests are about; it stands in front of their
// failures, as in "with a PIN of three code points".
func (r *Run) Doing(format string, args ...any) { r.doing = fmt.Sprintf(format, args...) }

// Fail ends the case: the authenticator breaks the rule.
func (r *Run) Fail(format string, args ...any) {
	r.fail(Failure{Text: fmt.Sprintf(format, args...), Exchange: len(r.exchanges)})
	panic(abort{})
}

// Check notes a failure unless ok, and goes on.
func (r *Run) Check(ok bool, format string, args ...any) bool {
	if !ok {
		r.fail(Failure{Text: fmt.Sprintf(format, args...), Exchange: len(r.exchanges)})
	}
	return ok
}

// Require ends the case as failed unless ok.
func (r *Run) Require(ok bool, format string, args ...any) {
	if !ok {
		r.Fail(format, args...)
	}
}

func (r *Run) fail(f Failure) {
	if r.doing != "" {
		f.Text = r.doing + ": " + f.Text
	}
	r.failures = append(r.failures, f)
}

// Equal ends the case as failed unless what came is what is wanted.
func Equal[T comparable](r *Run, what string, got, want T) {
	if got != want {
		r.fail(Failure{Text: what, Want: fmt.Sprint(want), Got: fmt.Sprint(got), Exchange: len(r.exchanges)})
		panic(abort{})
	}
}

// Tolerate notes a deviation of which source says who else does so. The case then
// passes as tolerated.
func (r *Run) Tolerate(source, format string, args ...any) {
	r.deviations = append(r.deviations, SeenDeviation{What: fmt.Sprintf(format, args...), Source: source, Exchange: len(r.exchanges)})
}

// Broken ends the case when the bench, not the authenticator, is at fault. A nil err
// does nothing.
func (r *Run) Broken(err error) {
	if err != nil {
		panic(fault{err})
	}
}

// Plan says what whoever is in front of the authenticator does from now on when it
// asks for something. At the beginning it is Touch.
func (r *Run) Plan(g Gesture) {
	if r.Case.Hands&g != g {
		r.Broken(fmt.Errorf("%s plans to %s, which its Hands do not say", r.Case.ID, g))
	}
	r.note("from now on, when asked: %s", g)
	r.Broken(r.bench.target.Plan(r.ctx, g))
}

// PowerCycle takes the power from the authenticator and gives it back. The case needs
// Replug in its Hands.
func (r *Run) PowerCycle() {
	if r.Case.Hands&Replug == 0 {
		r.Broken(fmt.Errorf("%s cuts the power, which its Hands do not say", r.Case.ID))
	}
	r.note("power cycle")
	r.info = nil
	r.Broken(r.bench.powerCycle(r.ctx))
}

// Sleep lets time pass for the authenticator: real time for a real one, none at all
// for an emulated one in process.
func (r *Run) Sleep(d time.Duration) {
	r.note("%v pass", d)
	r.Broken(r.bench.target.Sleep(r.ctx, d))
}

// Now is the time that the authenticator lives in.
func (r *Run) Now() time.Time { return r.bench.target.Now() }

// Bytes returns n random bytes.
func (r *Run) Bytes(n int) []byte {
	b := make([]byte, n)
	_, err := io.ReadFull(r.bench.rand, b)
	r.Broken(err)
	return b
}

// note records something that was done to the authenticator.
func (r *Run) note(format string, args ...any) {
	r.record(Exchange{Medium: OverBench, Note: fmt.Sprintf(format, args...)})
}

// record adds an exchange and returns its number, from 1.
func (r *Run) record(x Exchange) int {
	x.At = r.Now().Sub(r.began)
	r.exchanges = append(r.exchanges, x)
	return len(r.exchanges)
}
