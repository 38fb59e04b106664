package report

import "slices"

// ledger keeps account of what has begun and what has ended in a run.
type ledger struct {
	run      *Run // nil before the run starts
	ended    bool
	open     []*openScenario    // in the order of their start
	outcomes map[string]Outcome // of every scenario that started, of its last attempt
}

type openScenario struct {
	start *Event
	step  *Event // nil between steps
}

func (l *ledger) add(e *Event) {
	switch e.Kind {
	case RunStart:
		l.run = e.Run
		if l.run == nil {
			l.run = &Run{}
		}
		l.outcomes = map[string]Outcome{}
	case RunEnd:
		l.ended = true
	case ScenarioStart:
		l.open = append(l.open, &openScenario{start: e})
		l.record(e.ScenarioID, Aborted)
	case StepStart, StepEnd:
		l.step(e)
	case ScenarioEnd:
		l.open = slices.DeleteFunc(l.open, func(o *openScenario) bool {
			return o.start.ScenarioID == e.ScenarioID
		})
		l.record(e.ScenarioID, e.Outcome)
	}
}

func (l *ledger) record(scenario string, o Outcome) {
	if l.outcomes == nil {
		l.outcomes = map[string]Outcome{}
	}
	l.outcomes[scenario] = o
}

func (l *ledger) step(e *Event) {
	for _, o := range l.open {
		if o.start.ScenarioID != e.ScenarioID {
			continue
		}
		o.step = nil
		if e.Kind == StepStart {
			o.step = e
		}
	}
}

// missing returns the events that are needed before the run can end: the end of
// every open step and scenario, and both ends of every planned scenario that did
// not start.
func (l *ledger) missing() []Event {
	var out []Event
	for _, o := range l.open {
		if o.step != nil {
			out = append(out, aborted(o.step, StepEnd))
		}
		out = append(out, aborted(o.start, ScenarioEnd))
	}
	if l.run == nil {
		return out
	}
	for i := range l.run.Plan {
		sc := &l.run.Plan[i]
		if _, started := l.outcomes[sc.ID]; !started {
			start := Event{Kind: ScenarioStart, ScenarioID: sc.ID, Attempt: 1, Scenario: sc}
			end := aborted(&start, ScenarioEnd)
			end.Text = "the run ended before it could start"
			out = append(out, start, end)
		}
	}
	return out
}

func aborted(start *Event, kind Kind) Event {
	return Event{
		Kind: kind, ScenarioID: start.ScenarioID, StepIndex: start.StepIndex, Attempt: start.Attempt,
		Device: start.Device, Scenario: start.Scenario, Step: start.Step,
		Outcome: Aborted, Text: "the run ended first",
	}
}

// complete fills in what a RunEnd may leave out.
func (l *ledger) complete(e *Event) {
	var run Run
	switch {
	case e.Run != nil:
		run = *e.Run
	case l.run != nil:
		run = *l.run
	}
	run.Plan = nil
	if run.Counts == nil {
		run.Counts = map[Outcome]int{}
		for _, o := range l.outcomes {
			run.Counts[o]++
		}
	}
	e.Run = &run
	if e.Outcome == "" {
		e.Outcome = overall(run.Counts)
	}
}

// overall returns the outcome of a run from those of its scenarios.
func overall(counts map[Outcome]int) Outcome {
	for _, o := range []Outcome{Aborted, Error, Failed, Timeout, Passed, Skipped} {
		if counts[o] > 0 {
			return o
		}
	}
	return Passed
}

// Complete returns the events of a run with those that it lacks because it broke off:
// what was open or planned is aborted. The end of the run itself is not added.
func Complete(events []Event) []Event {
	var l ledger
	for i := range events {
		l.add(&events[i])
	}
	if l.ended {
		return events
	}
	return append(slices.Clip(events), l.missing()...)
}
