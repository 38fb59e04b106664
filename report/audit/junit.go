package audit

import (
	"io"

	"fido-emu/report"
	"fido-emu/rp/audit"
)

// WriteJUnit writes a report as JUnit XML, as [report.WriteJUnit] does: a test suite
// for each group, a test case for each attack. What was accepted has failed, what is
// broken is an error, what is tolerated has passed and says so.
func WriteJUnit(w io.Writer, r *audit.Report) error {
	m := &report.Model{Run: report.Run{Title: "audit of " + r.RelyingParty, Scenarios: len(r.Results)}, Start: r.Started, Duration: r.Took}
	for i := range r.Results {
		m.Scenarios = append(m.Scenarios, scenario(&r.Results[i]))
	}
	return report.WriteJUnit(w, m)
}

func scenario(r *audit.Result) *report.ScenarioResult {
	a := &report.Attempt{Number: 1, Outcome: report.Passed}
	switch r.Verdict {
	case audit.Accepted:
		a.Outcome = report.Failed
		a.Failure = &report.Failure{Message: string(r.Severity) + ": " + r.Title + ": " + r.Why, Hint: r.Rule() + "; an attacker gains: " + r.Gains}
	case audit.Broken:
		a.Outcome = report.Error
		a.Failure = &report.Failure{Message: r.Title + ": " + r.Why, Hint: r.Rule()}
	case audit.NotApplicable:
		a.Outcome, a.Reason = report.Skipped, r.Why
	case audit.Tolerated:
		a.Steps = []*report.StepResult{{Index: 1, Outcome: report.Passed, Step: report.Step{Text: "tolerated: " + r.Tolerated}}}
	}
	return &report.ScenarioResult{
		Scenario: report.Scenario{ID: r.ID, Title: r.Title, Location: report.Location{File: r.Group}},
		Attempts: []*report.Attempt{a},
	}
}
