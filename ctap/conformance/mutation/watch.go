package mutation

import (
	"slices"

	"fido-emu/ctap/conformance"
)

// watch compares results with those on the faithful model as they come, and stops the
// run when enough is known.
type watch struct {
	faithful *conformance.Report
	enough   int
	all      bool
	stop     func()

	stopped  bool
	failed   int
	kills    []Kill
	troubles []string
}

// Begins implements [conformance.Observer].
func (w *watch) Begins(*conformance.Case, int, int) {}

// Ends implements [conformance.Observer].
func (w *watch) Ends(r *conformance.Result) {
	if w.stopped || !w.clean(r.ID) {
		return
	}
	switch r.Outcome {
	case conformance.Failed, conformance.Tolerated:
		w.kills = append(w.kills, Kill{Case: r.ID, Outcome: r.Outcome, Text: firstText(r)})
	case conformance.Errored:
		w.troubles = append(w.troubles, r.ID+": "+r.Reason)
	}
	if r.Outcome == conformance.Failed {
		w.failed++
	}
	if !w.all && w.failed >= w.enough {
		w.stopped = true
		w.stop()
	}
}

// clean tells whether the faithful model has nothing to do with what a case finds: there
// it passes, or is not applicable, as where only the fault states what the rule is about.
func (w *watch) clean(id string) bool {
	return slices.ContainsFunc(w.faithful.Results, func(r conformance.Result) bool {
		return r.ID == id && (r.Outcome == conformance.Passed || r.Outcome == conformance.NotApplicable)
	})
}

// firstText is the first thing that a result finds wrong.
func firstText(r *conformance.Result) string {
	switch {
	case len(r.Failures) > 0:
		return r.Failures[0].Text
	case len(r.Deviations) > 0:
		return r.Deviations[0].What
	}
	return ""
}
