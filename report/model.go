package report

import (
	"slices"
	"time"
)

// Model is a run as its events tell it: what every rendering but JSONL is drawn
// from.
type Model struct {
	Run       Run
	Start     time.Time
	Duration  time.Duration
	Outcome   Outcome
	Counts    map[Outcome]int // scenarios by outcome, each once
	Scenarios []*ScenarioResult
	Events    []*Event // of the kinds CTAP, WebAuthn and Note that belong to no scenario
}

// ScenarioResult is a scenario with all attempts at it. Its outcome is that of
// the last.
type ScenarioResult struct {
	Scenario
	Attempts []*Attempt // at least one
}

// Attempt is one run of a scenario from its first step.
type Attempt struct {
	Number   int // counts from 1
	Start    time.Time
	Duration time.Duration
	Outcome  Outcome
	Reason   string   // why it was skipped or aborted
	Failure  *Failure // nil when it passed
	Devices  []Device // that took part, as they were reached in it
	Steps    []*StepResult
	SignIns  []SignInResult // in order

	Recoveries []*Recovery // in order
}

// StepResult is one step of an attempt with what happened in it.
type StepResult struct {
	Step
	Index    int    // counts from 1; 0 holds what happened outside the steps
	Device   string // the device it is about, empty for several or none
	Start    time.Time
	Duration time.Duration
	Outcome  Outcome // empty while it runs
	Reason   string
	Failure  *Failure
	Events   []*Event // of the kinds CTAP, WebAuthn, Measured and Note, in order
}

// BuildModel reads a stream of events. A stream that breaks off is completed as
// [Stream] would have: what was open or planned is aborted.
func BuildModel(events []Event) *Model {
	var b builder
	for i := range events {
		b.add(&events[i])
	}
	return b.finish()
}

// builder turns events into a model one by one.
type builder struct {
	model  Model
	ledger ledger
	byID   map[string]*ScenarioResult
}

func (b *builder) add(e *Event) {
	b.ledger.add(e)
	m := &b.model
	switch e.Kind {
	case RunStart:
		m.Start = e.Time
		if e.Run != nil {
			m.Run = *e.Run
		}
	case RunEnd:
		m.Outcome, m.Duration = e.Outcome, e.Duration
		if e.Run != nil && e.Run.Seed != nil {
			m.Run.Seed = e.Run.Seed
		}
		if e.Run != nil {
			m.Run.Slots = e.Run.Slots
		}
	default:
		if e.ScenarioID == "" && (e.Kind == Note || e.Kind == CTAP || e.Kind == WebAuthn) {
			m.Events = append(m.Events, e)
			return
		}
		b.scenario(e)
	}
}

func (b *builder) scenario(e *Event) {
	sc := b.byID[e.ScenarioID]
	if sc == nil {
		sc = &ScenarioResult{Scenario: Scenario{ID: e.ScenarioID, Title: e.ScenarioID}}
		if b.byID == nil {
			b.byID = map[string]*ScenarioResult{}
		}
		b.byID[e.ScenarioID] = sc
		b.model.Scenarios = append(b.model.Scenarios, sc)
	}
	if e.Kind == ScenarioStart {
		if e.Scenario != nil {
			sc.Scenario = *e.Scenario
		}
		sc.Attempts = append(sc.Attempts, &Attempt{Number: max(e.Attempt, len(sc.Attempts)+1), Start: e.Time, Devices: sc.Devices})
		return
	}
	if len(sc.Attempts) == 0 {
		sc.Attempts = append(sc.Attempts, &Attempt{Number: 1, Start: e.Time})
	}
	if e.Kind == ScenarioEnd && e.Scenario != nil && e.Scenario.Devices != nil {
		sc.Devices = e.Scenario.Devices // by now it is known how they were reached
		sc.Last().Devices = sc.Devices
	}
	if e.Kind == ScenarioEnd && e.Scenario != nil && e.Scenario.Attempts > 0 {
		sc.Scenario.Attempts = e.Scenario.Attempts // by now it is known whether there will be more
	}
	sc.Last().add(e)
}

func (a *Attempt) add(e *Event) {
	switch e.Kind {
	case ScenarioEnd:
		a.Outcome, a.Failure, a.Reason, a.Duration = e.Outcome, e.Failure, e.Text, e.Duration
	case StepStart:
		s := &StepResult{Index: e.StepIndex, Device: e.Device, Start: e.Time}
		if e.Step != nil {
			s.Step = *e.Step
		}
		a.Steps = append(a.Steps, s)
	case StepEnd:
		s := a.step(e)
		s.Outcome, s.Failure, s.Reason, s.Duration = e.Outcome, e.Failure, e.Text, e.Duration
		if e.Step != nil {
			s.Step = *e.Step
		}
	case SignInEvent:
		if e.SignIn != nil {
			meant := slices.ContainsFunc(a.Steps, func(s *StepResult) bool { return s.Index == e.StepIndex && s.Step.Expected != "" })
			a.SignIns = append(a.SignIns, SignInResult{e.SignIn, meant})
		}
	case RecoveryEvent:
		if e.Recovery != nil {
			a.Recoveries = append(a.Recoveries, e.Recovery)
		}
	default:
		s := a.step(e)
		s.Events = append(s.Events, e)
	}
}

// step returns the step that e belongs to, and makes it if it did not start.
func (a *Attempt) step(e *Event) *StepResult {
	for i := len(a.Steps) - 1; i >= 0; i-- {
		if a.Steps[i].Index == e.StepIndex {
			return a.Steps[i]
		}
	}
	s := &StepResult{Index: e.StepIndex, Device: e.Device, Start: e.Time}
	a.Steps = append(a.Steps, s)
	return s
}

// finish completes the model. The builder must not be used afterwards.
func (b *builder) finish() *Model {
	m := &b.model
	if !b.ledger.ended {
		for _, e := range b.ledger.missing() {
			b.add(&e)
		}
		if b.ledger.run != nil {
			m.Outcome = Aborted
		}
	}
	b.arrange()
	m.Counts = map[Outcome]int{}
	for _, sc := range m.Scenarios {
		m.Counts[sc.Outcome()]++
	}
	if m.Outcome == "" {
		m.Outcome = overall(m.Counts)
	}
	return m
}

// arrange puts the scenarios into the order of the plan, whatever the order in which
// they began; those that were not planned come last.
func (b *builder) arrange() {
	place := map[string]int{}
	for i, sc := range b.model.Run.Plan {
		place[sc.ID] = i - len(b.model.Run.Plan)
	}
	slices.SortStableFunc(b.model.Scenarios, func(x, y *ScenarioResult) int { return place[x.ID] - place[y.ID] })
}

// Last returns the last attempt.
func (s *ScenarioResult) Last() *Attempt { return s.Attempts[len(s.Attempts)-1] }

// Outcome returns the outcome of the last attempt.
func (s *ScenarioResult) Outcome() Outcome { return s.Last().Outcome }

// Retried tells whether it took more than one attempt.
func (s *ScenarioResult) Retried() bool { return len(s.Attempts) > 1 }

// Flaky tells whether it passed, but not at first.
func (s *ScenarioResult) Flaky() bool {
	return s.Outcome() == Passed && slices.ContainsFunc(s.Attempts, func(a *Attempt) bool { return a.Outcome.Bad() })
}

// Duration returns the time of all attempts.
func (s *ScenarioResult) Duration() time.Duration {
	var d time.Duration
	for _, a := range s.Attempts {
		d += a.Duration
	}
	return d
}

// Bad tells of an outcome that somebody has to look at.
func (o Outcome) Bad() bool { return o == Failed || o == Error || o == Timeout }
