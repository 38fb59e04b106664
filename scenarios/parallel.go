package scenarios

import (
	"context"
	"slices"
	"sync"
	"time"

	"fido-emu/fixtures"
	"fido-emu/report"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// pool has workers run scenarios, each attempt in a world of its own, while Ginkgo's
// specs wait for the verdicts. Workers take scenarios in the order of the plan, but
// for those that have to wait for something that another one holds.
type pool struct {
	*suite
	ctx  context.Context
	stop context.CancelFunc
	jobs []*job // of all scenarios, as planned
	done sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond // something was given back, or the pool stops
	waiting []*job     // in the order of the plan, retries first
	running int
	changes int  // counts what may have made way for those that wait
	looked  int  // at how many changes nobody that waits could begin
	tpm     bool // lent; the simulator is one for the process

	problems []error // the harness's own, with slots
}

// job is a scenario on its way.
type job struct {
	scenario *language.Scenario
	verdicts chan verdict // one for each attempt; closed behind the last
	last     verdict      // of the attempt before
	number   int          // of the next attempt, from 1
	tpm      bool         // it needs the TPM
	avoid    []string     // slots at which attempts went wrong
	plan     plan         // what it wants of a bench
}

// loan is what an attempt has to itself.
type loan struct {
	tpm   bool
	bound map[string]world.Bound // keys, by the name of the device
	lent  []*lent                // slots of the bench
	why   string                 // the scenario can never have what it needs

	broken []string // slots that it could have if they were not set aside for their faults

	beside   map[string]string // why devices are in no slot of the bench, by name
	evidence *evidence         // of the attempt; nil where none is kept
}

func (s *suite) newPool(all []*language.Scenario) *pool {
	p := &pool{suite: s, changes: 1}
	p.ctx, p.stop = context.WithCancel(s.ctx)
	p.changed = sync.NewCond(&p.mu)
	for _, sc := range all {
		p.jobs = append(p.jobs, &job{scenario: sc, number: 1, tpm: hasTPM(sc), verdicts: make(chan verdict, s.attempts())})
	}
	p.waiting = slices.Clone(p.jobs)
	return p
}

// hasTPM tells whether a device of the scenario has its keys in a TPM.
func hasTPM(sc *language.Scenario) bool {
	return slices.ContainsFunc(sc.Devices, func(d language.Device) bool {
		model, err := world.Model(d.Profile)
		return err == nil && model.Keys == fixtures.TPMKeys
	})
}

// start starts the workers. They end when nothing is left to do, or the pool is
// stopped.
func (p *pool) start() {
	context.AfterFunc(p.ctx, p.drop)
	for range max(1, p.Parallel) {
		p.done.Go(p.work)
	}
}

// end stops the workers, and waits until what they were at has ended in good order.
func (p *pool) end() {
	p.stop()
	p.done.Wait()
}

// drop gives up what has not begun.
func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, j := range p.waiting {
		close(j.verdicts)
	}
	p.waiting = nil
	p.changed.Broadcast()
}

func (p *pool) work() {
	for {
		j, l := p.next()
		if j == nil {
			return
		}
		if !p.take(j, l) {
			p.untake(j, l)
			continue
		}
		p.finished(j, l, p.try(j, l))
	}
}

// untake gives back what was taken, and has the scenario wait again.
func (p *pool) untake(j *job, l *loan) {
	problems := p.settle(j, l, verdict{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, problems...)
	p.giveBack(l)
	if p.ctx.Err() != nil {
		close(j.verdicts)
		return
	}
	p.enqueue(j)
}

// giveBack has others take what the attempt had.
func (p *pool) giveBack(l *loan) {
	p.running--
	if l.tpm {
		p.tpm = false
	}
	for _, t := range l.lent {
		t.busy = false
	}
	p.tell()
}

// try runs a scenario once, and survives a panic of the harness.
func (p *pool) try(j *job, l *loan) (v verdict) {
	if err := safely(func() error { v = p.attempt(j, l); return nil }); err != nil {
		v = verdict{outcome: report.Error, failure: &report.Failure{Message: err.Error(), Location: j.scenario.At}, broken: err}
	}
	return v
}

// next waits for a scenario that can begin, and takes what it needs. It returns nil
// when there will be none.
func (p *pool) next() (*job, *loan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.ctx.Err() == nil {
		if p.looked != p.changes { // one worker looks, and not all that are idle
			if j, l := p.pick(); j != nil {
				return j, l
			}
			p.looked = p.changes
		}
		if len(p.waiting) == 0 && p.running == 0 {
			break
		}
		p.pause()
	}
	p.changed.Broadcast()
	return nil, nil
}

// pick takes the first of those that wait that can begin, and what it needs.
func (p *pool) pick() (*job, *loan) {
	for i, j := range p.waiting {
		if l := p.lend(j); l != nil {
			p.waiting = slices.Delete(p.waiting, i, i+1)
			p.running++
			return j, l
		}
	}
	return nil, nil
}

// pause waits for a change; where another program may make it, for a while only.
func (p *pool) pause() {
	if p.Bench != nil && p.Bench.elsewhere() && len(p.waiting) > 0 {
		defer time.AfterFunc(busyAgain, p.wake).Stop()
	}
	p.changed.Wait()
}

func (p *pool) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell()
}

// tell has those who wait look again.
func (p *pool) tell() {
	p.changes++
	p.changed.Broadcast()
}

// lend takes what a scenario needs, nil while something of it is not to be had.
func (p *pool) lend(j *job) *loan {
	if j.tpm && p.tpm {
		return nil
	}
	l := &loan{tpm: j.tpm, bound: p.Bound}
	if p.Reports != "" {
		l.evidence = &evidence{}
	}
	if p.Bench != nil && !p.choose(j, l) {
		return nil
	}
	p.tpm = p.tpm || l.tpm
	return l
}

// finished takes back what the attempt had, tells Ginkgo how it ended, and has the
// scenario tried again where that is wanted.
func (p *pool) finished(j *job, l *loan, v verdict) {
	problems := p.settle(j, l, v)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, problems...)
	p.giveBack(l)
	j.verdicts <- v
	for _, f := range v.faults {
		j.avoid = append(j.avoid, f.Slot)
	}
	if p.again(j, v) {
		j.number, j.last = j.number+1, v
		p.enqueue(j)
		return
	}
	p.counts[v.outcome]++
	close(j.verdicts)
}

// enqueue puts a scenario that is to be tried again before those that have not begun.
func (p *pool) enqueue(j *job) {
	at := slices.IndexFunc(p.waiting, func(o *job) bool { return o.number == 1 })
	if at < 0 {
		at = len(p.waiting)
	}
	p.waiting = slices.Insert(p.waiting, at, j)
}

// again tells whether there is to be another attempt: a retry, or one on other slots
// where the bench was at fault.
func (p *pool) again(j *job, v verdict) bool {
	if p.ctx.Err() != nil || !v.outcome.Bad() {
		return false
	}
	if len(v.faults) == 0 {
		return j.number <= p.Retries
	}
	return j.number < p.attempts() && p.plan(j).possible
}

// attempts is how often a scenario may be tried.
func (s *suite) attempts() int {
	if s.Bench != nil {
		return 1 + s.Retries + Moves
	}
	return 1 + s.Retries
}

// verdict waits for the verdict of the next attempt, and for the last one's again where
// there is none. Cancelling ctx stops the pool.
func (p *pool) verdict(ctx context.Context, j *job) verdict {
	defer context.AfterFunc(ctx, p.stop)()
	v, more := <-j.verdicts
	switch {
	case more:
		return v
	case j.last.outcome != "":
		return j.last
	}
	return aborted()
}

// attempt runs a scenario once, with what was lent to it.
func (p *pool) attempt(j *job, l *loan) verdict {
	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	a := &attempt{suite: p.suite, scenario: j.scenario, number: j.number, loan: l, evidence: l.evidence}
	return a.run(ctx)
}
