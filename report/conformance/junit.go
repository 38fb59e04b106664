package conformance

import (
	"cmp"
	"io"
	"strings"

	"fido-emu/ctap/conformance"
	"fido-emu/report"
)

// WriteJUnit writes a report as JUnit XML, as [report.WriteJUnit] does: a test suite
// for each group, a test case for each case. Tolerated cases count as passed, and say
// so; those that are not applicable or not run are skipped.
func WriteJUnit(w io.Writer, r *conformance.Report) error {
	m := &report.Model{
		Run: report.Run{Title: r.Subject.Reached, Scenarios: len(r.Results)}, Start: r.Subject.Begun, Duration: r.Took,
	}
	for i := range r.Results {
		m.Scenarios = append(m.Scenarios, scenario(&r.Results[i]))
	}
	return report.WriteJUnit(w, m)
}

var junitOutcomes = map[conformance.Outcome]report.Outcome{
	conformance.Passed: report.Passed, conformance.Tolerated: report.Passed, conformance.Failed: report.Failed,
	conformance.Errored: report.Error, conformance.NotApplicable: report.Skipped, conformance.NotRun: report.Skipped,
}

func scenario(r *conformance.Result) *report.ScenarioResult {
	a := &report.Attempt{Number: 1, Start: r.Began, Duration: r.Took, Outcome: junitOutcomes[r.Outcome]}
	switch r.Outcome {
	case conformance.NotApplicable, conformance.NotRun:
		a.Reason = string(r.Outcome) + ": " + r.Reason
	case conformance.Failed, conformance.Errored:
		a.Failure = &report.Failure{Message: account(r), Hint: r.Rule().String() + ": " + r.Why}
	case conformance.Tolerated:
		for i, d := range r.Deviations {
			a.Steps = append(a.Steps, &report.StepResult{
				Index: i + 1, Outcome: report.Passed, Step: report.Step{Text: "tolerated: " + d.What + " (" + d.Source + ")"},
			})
		}
	}
	return &report.ScenarioResult{
		Scenario: report.Scenario{ID: r.ID, Title: r.Why, Location: report.Location{File: r.Group}},
		Attempts: []*report.Attempt{a},
	}
}

// account says all that a result finds wrong.
func account(r *conformance.Result) string {
	var lines []string
	for _, f := range r.Failures {
		text := f.Text
		if f.Want != "" {
			text += "; asked for " + f.Want + ", came " + f.Got
		}
		lines = append(lines, text)
	}
	return cmp.Or(strings.Join(lines, "\n"), r.Reason)
}
