package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fido-emu/ctap/platform"
	"fido-emu/fixtures/slots"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/health"
	"fido-emu/fixtures/slots/strategy"
	"fido-emu/report"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// lent is a slot in the hands of an attempt.
type lent struct {
	*place
	device language.Device
	heard  *evidence // of the attempt; nil where none is kept
	lease  *desk.Lease
	stand  Stand
	pin    string // of the key by now
	fault  error  // of the bench, before the attempt began
}

const (
	// busyAgain is after how long a slot is asked for again that another program holds.
	busyAgain = 200 * time.Millisecond
	// serveTime bounds what is done to a slot before and after an attempt.
	serveTime = 60 * time.Second
)

// choose finds slots for a scenario. It returns false while some that would do are
// lent; why is set where none ever will.
func (p *pool) choose(j *job, l *loan) bool {
	plan := p.plan(j)
	if !plan.possible {
		l.why, l.broken = p.Bench.never(j.scenario, plan.devices, j.may), p.Bench.broken(j, p.Bound)
		return true
	}
	now, devices := time.Now(), plan.devices
	found := p.Bench.match(j.scenario, devices, func(o *place) bool {
		return j.may(o) && !o.busy && !now.Before(o.elsewhere)
	})
	for i, o := range found {
		o.busy = true
		l.lent = append(l.lent, &lent{place: o, device: devices[i], heard: l.evidence})
	}
	l.beside = p.Bench.beside(j.scenario, p.Bound, devices, j.may)
	return found != nil
}

// plan is what a scenario wants of the slots, as long as nothing new is known of them.
type plan struct {
	news, avoided int
	devices       []language.Device
	possible      bool // slots that suit are left, lent or not
}

func (p *pool) plan(j *job) plan {
	if j.plan.devices != nil && j.plan.news == p.Bench.news && j.plan.avoided == len(j.avoid) {
		return j.plan
	}
	devices := p.Bench.wanted(j.scenario, p.Bound, j.may)
	j.plan = plan{p.Bench.news, len(j.avoid), devices, len(devices) > 0 && p.Bench.match(j.scenario, devices, j.may) != nil}
	return j.plan
}

// may tells whether the scenario may be tried on a slot.
func (j *job) may(o *place) bool { return o.aside == "" && !slices.Contains(j.avoid, o.slot.Name) }

// take takes the slots that were chosen, opens them and brings their keys into the state
// in which the scenario wants them. It returns false when they will not do after all:
// another program has one, or a key turned out to be unfit; the scenario waits again.
func (p *pool) take(j *job, l *loan) bool {
	ctx, cancel := context.WithTimeout(p.ctx, serveTime)
	defer cancel()
	for _, t := range l.lent {
		if !p.acquire(ctx, t) || !p.equip(ctx, j, t) {
			return false
		}
		if t.fault != nil && p.ctx.Err() != nil { // the run was interrupted, and the slot is not to blame
			return false
		}
	}
	l.bind(p.Bound)
	return true
}

// acquire takes the lease of a slot.
func (p *pool) acquire(ctx context.Context, t *lent) bool {
	lease, err := p.Bench.desk.Acquire(ctx, t.slot.Name, desk.Wish{Owner: p.Bench.owner})
	t.lease = lease
	if err == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if taken, ok := errors.AsType[*desk.Taken](err); ok && taken.Reserved { // for nobody knows how long
		t.use.SetAside = taken.Error()
		t.putAside(taken.Error())
		return false
	} else if ok {
		t.elsewhere = time.Now().Add(busyAgain)
		t.use.Waited = cmp.Or(t.use.Waited, taken.Error())
		if p.Bench.untold(taken) {
			p.stream.Emit(report.Event{Kind: report.Note, Text: "Waiting: " + taken.Error() + "."})
		}
		return false
	}
	if bad, ok := errors.AsType[*desk.Unusable](err); ok {
		t.place.grade(bad.Health)
		return false
	}
	t.fault = err
	return true
}

// untold tells whether nothing was said yet of whoever has a slot: they may have many.
func (b *Bench) untold(taken *desk.Taken) bool {
	if taken.By == nil || slices.Contains(b.told, taken.By.PID) {
		return false
	}
	b.told = append(b.told, taken.By.PID)
	return true
}

// equip opens the slot and asks the key what it is, the first time. It returns false for
// a key that does not fit the device.
func (p *pool) equip(ctx context.Context, j *job, t *lent) bool {
	if t.fault != nil {
		return true
	}
	if t.lease.Note != "" {
		p.stream.Emit(report.Event{Kind: report.Note, Text: t.lease.Note + "."})
	}
	if t.stand, t.fault = p.Bench.open(ctx, t.slot.Name, t.heard.hear(t.device.Name)); t.fault != nil {
		return true
	}
	p.mu.Lock()
	t.use.Reached, t.use.Serial = t.stand.Where(), t.stand.Serial()
	p.mu.Unlock()
	if t.info == nil {
		info, err := platform.New(t.key(), p.Bench.rand).Info(ctx)
		if err != nil {
			t.fault = fmt.Errorf("slot %s: the key does not say what it is: %w", t.slot.Name, err)
			return true
		}
		p.mu.Lock()
		t.place.tell(info)
		unfit := len(t.unfit(j.scenario, t.device)) > 0
		p.mu.Unlock()
		if unfit {
			return false
		}
	}
	t.fault = p.prepare(ctx, t)
	return true
}

// prepare brings the key into the state in which the scenario wants it: with a PIN where
// the device has one. An emulated key may be reset for that, a real one only where the
// run may harm it.
func (p *pool) prepare(ctx context.Context, t *lent) error {
	t.pin = t.place.pin
	w := t.walker(p)
	var err error
	switch {
	case t.cleared() && !t.lease.Key.Known():
		err = t.clear()
	case t.platform || t.keepsNothing():
	case t.expendable():
		err = t.renew(ctx, &w)
	default:
		clean := t.lease.Key.Known() && t.place.swept
		err = t.ready(ctx, &w)
		if now := t.lease.Key; err == nil && !clean && (now.Stage == strategy.PINSet || now.Stage == strategy.Enrolled) {
			err = t.sweep(ctx, p)
		}
	}
	if err != nil {
		return fmt.Errorf("slot %s: the key could not be made ready: %w", t.slot.Name, err)
	}
	return t.lease.Mark(strategy.Lost) // until it is asked again
}

// keepsNothing tells whether the key speaks U2F alone: what it made is in its key handles,
// and there is nothing on it to be taken away.
func (t *lent) keepsNothing() bool { return slices.Equal(t.info.Versions, []string{"U2F_V2"}) }

// clear deletes all passkeys in the slot, of which is not known whose they are.
func (t *lent) clear() error {
	if shelved, ok := t.stand.(world.Shelved); ok && shelved.Credentials() != nil {
		return shelved.Credentials().Clear()
	}
	return nil
}

// renew makes an emulated key blank, and gives it the PIN of the scenario.
func (t *lent) renew(ctx context.Context, w *strategy.Walker) error {
	blank, set := strategy.State{Stage: strategy.Blank}, strategy.State{Stage: strategy.PINSet}
	t.pin = t.device.PIN
	switch now := t.lease.Key; {
	case t.pin == "" && now == blank:
		return nil
	case now != blank:
		if !now.Known() {
			now.Stage = strategy.Enrolled // it may hold anything
		}
		w.PIN = ""
		if _, err := w.Walk(ctx, now, blank); err != nil {
			return err
		}
	}
	if t.pin == "" {
		return nil
	}
	w.PIN = t.pin
	_, err := w.Walk(ctx, blank, set)
	return err
}

// ready finds out what is on a key, and sets its PIN where there is none and the
// scenario wants one.
func (t *lent) ready(ctx context.Context, w *strategy.Walker) error {
	now := t.lease.Key
	if !now.Known() || now.Off {
		found, err := w.Find(ctx)
		if errors.Is(err, strategy.ErrCannotTell) {
			return nil
		}
		if err != nil {
			return err
		}
		now = found
	}
	set := strategy.State{Stage: strategy.PINSet}
	if now.Stage == strategy.Locked || now.Stage == strategy.Blank && t.device.PIN != "" && t.pin != "" {
		_, err := w.Walk(ctx, now, set)
		return err
	}
	return nil
}

// bind has the keys of the slots stand for their devices.
func (l *loan) bind(others map[string]world.Bound) {
	l.bound = map[string]world.Bound{}
	for name, b := range others {
		l.bound[name] = b
	}
	for _, t := range l.lent {
		l.bound[t.device.Name] = world.Bound{
			Name: t.slot.Name, Slot: t.stand, PIN: t.pin, Expendable: t.slot.Kind() != slots.RealKey, Platform: t.platform, Trusted: t.trusted(t.device),
		}
	}
}

// fault returns what was wrong with the slots before the attempt began.
func (l *loan) fault() *world.Fault {
	for _, t := range l.lent {
		if t.fault != nil {
			return &world.Fault{Device: t.device.Name, Slot: t.slot.Name, Err: t.fault}
		}
	}
	return nil
}

// settle writes down what is on the keys and how the slots fared, and gives them back.
func (p *pool) settle(j *job, l *loan, v verdict) (problems []error) {
	ctx, cancel := context.WithTimeout(context.Background(), serveTime) // the run may be over
	defer cancel()
	for _, t := range l.lent {
		t.heard = nil // evidence of the attempt was kept
		blamed := t.blamed(v)
		if t.stand != nil {
			if v.tidy && blamed == nil {
				err := t.state(ctx, p, slices.Contains(v.unsure, t.slot.Name))
				if v.outcome != report.Failed { // a key that is found wanting may not say
					blamed = err
				}
			}
			problems = append(problems, t.stand.Close())
		}
		if t.lease != nil && blamed != nil { // it may be gone, or another one by the next time
			problems = append(problems, t.lease.Mark(strategy.Lost))
		}
		problems = append(problems, p.judge(ctx, t, v, blamed))
		if t.lease != nil {
			problems = append(problems, t.lease.Release())
		}
	}
	return problems
}

// blamed returns what the slot did to the attempt, nil for nothing.
func (t *lent) blamed(v verdict) error {
	for _, f := range v.faults {
		if f.Slot == t.slot.Name {
			return f.Err
		}
	}
	return nil
}

// state asks the key what is on it. Where that cannot be told, or something of the
// scenario may be left on it, it stays unknown; an emulated one is reset then. The error
// is why the key did not say.
func (t *lent) state(ctx context.Context, p *pool, unsure bool) error {
	w := t.walker(p)
	var err error
	if unsure && t.cleared() {
		err = t.clear()
		unsure = err != nil
	}
	switch {
	case unsure && t.info != nil && t.expendable():
		w.PIN = ""
		_, err = w.Walk(ctx, strategy.State{Stage: strategy.Enrolled}, strategy.State{Stage: strategy.Blank})
	case !unsure:
		_, err = w.Find(ctx)
	}
	if err != nil {
		p.stream.Emit(report.Event{Kind: report.Note, Text: fmt.Sprintf("What is on the key of slot %s is not known: %v.", t.slot.Name, err)})
	}
	if errors.Is(err, strategy.ErrCannotTell) {
		return nil
	}
	return err
}

func (t *lent) walker(p *pool) strategy.Walker {
	return strategy.Walker{
		Key: t.key(), Ledger: t.lease, PIN: t.pin, Rand: p.Bench.rand,
		Given: strategy.Given{Needs: t.stand.Can(), Destroy: t.slot.Kind() != slots.RealKey || p.Bench.harm.Allowed},
	}
}

// judge writes down how the slot fared. An attempt that was skipped or aborted, and one
// that another slot spoilt, says nothing about it.
func (p *pool) judge(ctx context.Context, t *lent, v verdict, blamed error) error {
	e := health.Entry{Run: p.Title}
	switch {
	case blamed != nil:
		e.Verdict, e.Reason = health.Fault, blamed.Error()
	case v.outcome == report.Passed:
		e.Verdict = health.Passed
	case v.outcome == report.Failed:
		e.Verdict = health.Failed
	}
	var after health.Record
	var err error
	if e.Verdict != "" && t.lease != nil {
		after, err = t.lease.Record(ctx, e)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.lease != nil {
		t.use.Key = t.lease.Key.String()
	}
	if v.outcome != "" {
		t.use.Used++
	}
	if blamed != nil {
		t.use.Faults = append(t.use.Faults, blamed.Error())
	}
	if after.Grade != "" {
		t.place.grade(after)
	}
	return err
}
