package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"fido-emu/ctap/conformance"
)

// listed is a case as --list --json has it.
type listedCase struct {
	ID          string                `json:"id"`
	Rule        string                `json:"rule"`
	Document    conformance.Document  `json:"document"`
	Section     string                `json:"section"`
	Editions    []conformance.Edition `json:"editions"`
	Why         string                `json:"why"`
	Start       conformance.Start     `json:"start,omitempty"`
	Hands       string                `json:"hands,omitempty"`
	Destructive bool                  `json:"destructive,omitempty"`
	Waits       string                `json:"waits,omitempty"`
}

func listCase(c *conformance.Case) listedCase {
	l := listedCase{
		ID: c.ID, Rule: c.Rule.String(), Document: c.Rule.Document, Section: c.Rule.Section, Editions: c.Rule.Editions,
		Why: c.Why, Start: c.Start, Hands: c.Hands.String(), Destructive: c.Destructive,
	}
	if c.Waits > 0 {
		l.Waits = c.Waits.String()
	}
	return l
}

// listCases lists the cases of groups.
func (u ui) listCases(groups []conformance.Group, asJSON bool) error {
	t := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	e := json.NewEncoder(u.out)
	e.SetEscapeHTML(false)
	n := 0
	for _, g := range groups {
		for i := range g.Cases {
			n++
			l := listCase(&g.Cases[i])
			if !asJSON {
				fmt.Fprintf(t, "%s\t%s\t%s\n", l.ID, l.Rule, l.Why)
			} else if err := e.Encode(l); err != nil {
				return err
			}
		}
	}
	if asJSON {
		return nil
	}
	fmt.Fprintf(t, "%d cases in %d groups\n", n, len(groups))
	return t.Flush()
}

// conformReport shows what came of a run: every failure, what was tolerated, and a
// table by group.
func (u ui) conformReport(r *conformance.Report, groups []conformance.Group) {
	for i := range r.Results {
		showResult(u.out, &r.Results[i])
	}
	fmt.Fprintf(u.out, "%s\n\n", r.Subject.Reached)
	showTable(u.out, r, groups)
}

// shownExchanges is how many exchanges of a failed case are shown, the last ones.
const shownExchanges = 6

func showResult(w io.Writer, r *conformance.Result) {
	switch r.Outcome {
	case conformance.Failed, conformance.Errored:
	case conformance.Tolerated:
		for _, d := range r.Deviations {
			fmt.Fprintf(w, "TOLERATED %s\n  %s: %s\n  %s\n  because: %s\n\n", r.ID, r.Rule(), r.Why, d.What, d.Source)
		}
		return
	default:
		return
	}
	fmt.Fprintf(w, "%s %s\n  %s: %s\n", strings.ToUpper(string(r.Outcome)), r.ID, r.Rule(), r.Why)
	if r.Reason != "" {
		fmt.Fprintf(w, "  %s\n", r.Reason)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(w, "  %s\n", f.Text)
		if f.Want != "" {
			fmt.Fprintf(w, "    asked for  %s\n    came       %s\n", f.Want, f.Got)
		}
	}
	for i := max(0, len(r.Exchanges)-shownExchanges); i < len(r.Exchanges); i++ {
		showExchange(w, i+1, &r.Exchanges[i])
	}
	fmt.Fprintln(w)
}

func showExchange(w io.Writer, n int, x *conformance.Exchange) {
	if x.Note != "" {
		fmt.Fprintf(w, "  %3d  %s\n", n, x.Note)
	}
	if x.Request != nil {
		fmt.Fprintf(w, "  %3d  > %x\n", n, []byte(x.Request))
	}
	if len(x.Keepalives) > 0 {
		fmt.Fprintf(w, "         %s\n", strings.Join(x.Keepalives, ", "))
	}
	if x.Response != nil {
		fmt.Fprintf(w, "  %3d  < %x\n", n, []byte(x.Response))
	}
	if x.Error != "" {
		fmt.Fprintf(w, "       ! %s\n", x.Error)
	}
}

func showTable(w io.Writer, r *conformance.Report, groups []conformance.Group) {
	titles := map[string]string{}
	for _, g := range groups {
		titles[g.Name] = g.Title
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(title string, c conformance.Counts) {
		fmt.Fprintf(t, "%s\t", title)
		for _, o := range conformance.Outcomes {
			fmt.Fprintf(t, "%d\t", c[o])
		}
		fmt.Fprintln(t)
	}
	fmt.Fprint(t, "\t")
	for _, o := range conformance.Outcomes {
		fmt.Fprintf(t, "%s\t", o)
	}
	fmt.Fprintln(t)
	for _, g := range r.ByGroup() {
		row(titles[g.Group], g.Counts)
	}
	row("all", r.Counts())
	_ = t.Flush() // what cannot be written has no reader
}
