package archive

import (
	"time"

	"fido-emu/report"
)

// Change is what became of a scenario between runs.
type Change string

// The changes, in the order of what has to be looked at first.
const (
	Broken   Change = "broken"    // it passed, and does not any more
	NewBad   Change = "new, bad"  // it was not there, and does not pass
	StillBad Change = "still bad" // it did not pass before either
	Flaky    Change = "flaky"     // it passed now, but not at first, or not every time before
	Fixed    Change = "fixed"     // it did not pass, and does now
	Slower   Change = "slower"    // it passed, in more than twice the time and half a second more
	New      Change = "new"       // it was not there
	Gone     Change = "gone"      // it is not there any more
	NotRun   Change = "not run"   // it ran before, and is skipped or aborted now
	Same     Change = "same"      // nothing changed
)

// Changes lists the changes in their order.
func Changes() []Change {
	return []Change{Broken, NewBad, StillBad, Flaky, Fixed, Slower, New, Gone, NotRun, Same}
}

// Scenario is a scenario over several runs.
type Scenario struct {
	ID       string           `json:"id"`
	Title    string           `json:"title"`
	Change   Change           `json:"change"`
	History  []report.Outcome `json:"history"`          // by run, the newest last; empty where it was not there
	Attempts int              `json:"attempts"`         // in the newest run
	Before   time.Duration    `json:"before,omitempty"` // in the run before, nanoseconds
	Now      time.Duration    `json:"now,omitempty"`
	Failure  *report.Failure  `json:"failure,omitempty"` // of the newest run
	Reason   string           `json:"reason,omitempty"`  // why it was skipped or aborted there
}

// Comparison is the newest run against those before it.
type Comparison struct {
	Runs      []string       `json:"runs"` // their names, the newest last
	Scenarios []Scenario     `json:"scenarios"`
	Counts    map[Change]int `json:"counts"`
}

// Worse tells whether something passed before and does not now, or came and does not
// pass.
func (c *Comparison) Worse() bool { return c.Counts[Broken]+c.Counts[NewBad] > 0 }

// Compare tells what changed in the last of the runs. Of a scenario that was not in
// the run before, the newest one that has it counts. There must be two runs or more.
func Compare(runs []*Run) *Comparison {
	c := &Comparison{Counts: map[Change]int{}}
	byID := map[string]*scenarioHistory{}
	var order []*scenarioHistory
	for i, r := range runs {
		c.Runs = append(c.Runs, r.Name)
		for _, sc := range r.Model.Scenarios {
			h := byID[sc.ID]
			if h == nil {
				h = &scenarioHistory{id: sc.ID, results: make([]*report.ScenarioResult, len(runs))}
				byID[sc.ID] = h
				order = append(order, h)
			}
			h.title, h.results[i] = sc.FullTitle(), sc
		}
	}
	for _, h := range order {
		s := h.judge()
		c.Scenarios = append(c.Scenarios, s)
		c.Counts[s.Change]++
	}
	return c
}

// scenarioHistory is a scenario with its results, nil where it was not in a run.
type scenarioHistory struct {
	id, title string
	results   []*report.ScenarioResult
}

func (h *scenarioHistory) judge() Scenario {
	s := Scenario{ID: h.id, Title: h.title, History: make([]report.Outcome, len(h.results))}
	for i, r := range h.results {
		if r != nil {
			s.History[i] = r.Outcome()
		}
	}
	before, now := h.before(), h.results[len(h.results)-1]
	if before != nil {
		s.Before = before.Duration()
	}
	if now != nil {
		s.Now, s.Attempts = now.Duration(), len(now.Attempts)
		s.Failure, s.Reason = now.Last().Failure, now.Last().Reason
	}
	s.Change = h.change(before, now)
	return s
}

// before returns the newest result that is not of the last run, nil when there is none.
func (h *scenarioHistory) before() *report.ScenarioResult {
	for i := len(h.results) - 2; i >= 0; i-- {
		if h.results[i] != nil {
			return h.results[i]
		}
	}
	return nil
}

func (h *scenarioHistory) change(before, now *report.ScenarioResult) Change {
	switch {
	case now == nil:
		return Gone
	case before == nil && now.Outcome().Bad():
		return NewBad
	case before == nil:
		return New
	case now.Outcome().Bad() && before.Outcome().Bad():
		return StillBad
	case now.Outcome().Bad():
		return Broken
	case now.Outcome() != report.Passed && before.Outcome() != now.Outcome():
		return NotRun
	case now.Outcome() != report.Passed:
		return Same
	case now.Flaky() || h.wavering():
		return Flaky
	case before.Outcome().Bad():
		return Fixed
	case slower(before.Duration(), now.Duration()):
		return Slower
	}
	return Same
}

// wavering tells of a scenario that went from passed to bad and back, or was flaky,
// in the runs that are compared. A single change is no wavering: something was mended.
func (h *scenarioHistory) wavering() bool {
	turns, last := 0, report.Outcome("")
	for _, r := range h.results {
		if r == nil || r.Outcome() != report.Passed && !r.Outcome().Bad() {
			continue
		}
		good := report.Passed
		if r.Outcome().Bad() {
			good = report.Failed
		}
		if last != "" && good != last {
			turns++
		}
		last = good
	}
	return turns > 1
}

// slower leaves aside what is within the noise of a machine.
func slower(before, now time.Duration) bool {
	return before > 0 && now > 2*before && now-before > 500*time.Millisecond
}
