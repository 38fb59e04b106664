package world

import (
	"context"
	"time"

	"fido-emu/report"
	"fido-emu/rp"
	"fido-emu/rp/reference/recovery"
)

// ways is what the world remembers, for the report, of how people get back into their
// accounts.
type ways struct {
	established map[string]bool      // by person: there was a passkey
	passes      map[string]time.Time // from the helpdesk, by their text: when they were issued
}

// Established notes that a person has registered a passkey. Whoever gets a pass from an
// administrator afterwards is let back in, not let in.
func (w *World) Established(p *Person) {
	if w.ways.established == nil {
		w.ways.established = map[string]bool{}
	}
	w.ways.established[p.Name] = true
}

// Standing tells how a case stands. When it has ended, the report is told once.
func (w *World) Standing(ctx context.Context, c *Case) (rp.RecoveryStatus, error) {
	site, err := w.Site.IdentityRecovery()
	if err != nil {
		return rp.RecoveryStatus{}, err
	}
	status, err := site.RecoveryStatus(ctx, c.RecoveryCase)
	if err != nil || c.counted || recovery.Open(status.State) {
		return status, err
	}
	c.counted = true
	outcome := map[string]string{recovery.Issued: report.Recovered, recovery.Evaluated: report.Verified}[status.State]
	if outcome == "" {
		outcome = report.Refused
	}
	w.countRecovery(report.SelfService, c.Owner, outcome, status.Reason, w.Clock.Now().Sub(c.began))
	return status, nil
}

// countStart tells the report that a case was begun, or refused at once. What failed
// otherwise is a fault of the bench, and no recovery.
func (w *World) countStart(p *Person, err error) {
	no := AsRefusal(err)
	if err != nil && no == nil {
		return
	}
	w.countRecovery(report.SelfService, p, report.Started, "", 0)
	if no != nil {
		w.countRecovery(report.SelfService, p, report.Refused, reasonOf(no), 0)
	}
}

// CountPass tells the report that the helpdesk gave a pass to somebody who had a passkey.
func (w *World) CountPass(p *Person, pass string) {
	if !w.ways.established[p.Name] {
		return
	}
	if w.ways.passes == nil {
		w.ways.passes = map[string]time.Time{}
	}
	w.ways.passes[pass] = w.Clock.Now()
	w.countRecovery(report.Helpdesk, p, report.Started, "", 0)
}

// CountPassUse tells the report what came of a pass of the helpdesk.
func (w *World) CountPassUse(p *Person, pass string, err error) {
	issued, ours := w.ways.passes[pass]
	no := AsRefusal(err)
	if !ours || err != nil && no == nil {
		return
	}
	delete(w.ways.passes, pass) // the first use is what counts
	outcome, reason := report.Recovered, ""
	if no != nil {
		outcome, reason = report.Refused, reasonOf(no)
	}
	w.countRecovery(report.Helpdesk, p, outcome, reason, w.Clock.Now().Sub(issued))
}

func (w *World) countRecovery(way string, p *Person, outcome, reason string, took time.Duration) {
	w.emit(report.Event{Kind: report.RecoveryEvent, Recovery: &report.Recovery{Way: way, Person: p.Name, Outcome: outcome, Refused: reason, Took: took}})
}

// reasonOf returns the first reason of a refusal.
func reasonOf(no *Refusal) string {
	if len(no.Reasons) == 0 {
		return "refused"
	}
	return no.Reasons[0]
}
