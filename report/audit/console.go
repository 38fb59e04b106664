package audit

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"fido-emu/report"
	"fido-emu/rp/audit"
)

// Console is how a report is shown to people.
type Console struct {
	Colour  bool
	Verbose bool // what was sent, and what is tolerated and not applicable
}

// Write shows a report: findings first, with what was sent, then a table by group, and
// what is left at the relying party.
func (c Console) Write(w io.Writer, r *audit.Report) error {
	var b strings.Builder
	for _, one := range r.Findings() {
		c.finding(&b, &one)
	}
	if c.Verbose {
		for _, one := range r.Results {
			c.remark(&b, &one)
		}
	}
	c.table(&b, r)
	fmt.Fprintf(&b, "\n%s\n", Summary(r))
	if len(r.Left) > 0 {
		fmt.Fprintf(&b, "\nleft at the relying party (%d passkeys were deleted):\n", r.Deleted)
		for _, one := range r.Left {
			fmt.Fprintf(&b, "  %s\n", report.Visible(one))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary says what came of an audit in a line.
func Summary(r *audit.Report) string {
	var parts []string
	for _, v := range audit.Verdicts() {
		if n := r.Count(v); n > 0 || v == audit.Accepted {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return fmt.Sprintf("%s: %d attacks: %s (%s)", report.Visible(r.RelyingParty), len(r.Results), strings.Join(parts, ", "), report.Span(r.Took))
}

// paint colours text where the console has colours.
func (c Console) paint(code, text string) string {
	if !c.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (c Console) heading(r *audit.Result) string {
	if r.Verdict == audit.Broken {
		return c.paint("35;1", "BROKEN")
	}
	code := map[audit.Severity]string{audit.Critical: "31;1", audit.High: "31", audit.Medium: "33", audit.Low: "36"}[r.Severity]
	return c.paint(code, "ACCEPTED "+string(r.Severity))
}

func (c Console) finding(w io.Writer, r *audit.Result) {
	fmt.Fprintf(w, "%s  %s\n", c.heading(r), r.ID)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-9s %s\n", name, report.Visible(text))
		}
	}
	line("broken", r.Title)
	line("rule", inWords(r.Attack))
	line("gained", r.Gains)
	line("seen", r.Why)
	for _, cite := range r.Cites {
		line("published", cite)
	}
	for i := range r.Exchanges {
		c.exchange(w, &r.Exchanges[i])
	}
	fmt.Fprintln(w)
}

// inWords says where a rule is written and what it asks for.
func inWords(a audit.Attack) string {
	text := a.Rule()
	if a.Link() != "" {
		text = "WebAuthn Level 3, " + text
	}
	if asks := a.Asks(); asks != "" {
		text += ": " + asks
	}
	return text
}

func (c Console) exchange(w io.Writer, x *audit.Exchange) {
	fmt.Fprintf(w, "  %-9s %s at %s\n", "sent", x.Ceremony, report.Visible(x.Origin))
	fmt.Fprintf(w, "  %-9s %s\n", "", report.Visible(x.ClientData))
	if a := x.AuthData; a != nil {
		id := a.RPID
		if id == "" {
			id = "rpIdHash " + a.RPIDHash
		}
		fmt.Fprintf(w, "  %-9s %s, %s, counter %d\n", "", id, a.Flags, a.SignCount)
	}
	if c.Verbose {
		fmt.Fprintf(w, "  %-9s %s\n", "", x.Response)
	}
}

func (c Console) remark(w io.Writer, r *audit.Result) {
	switch r.Verdict {
	case audit.Tolerated:
		fmt.Fprintf(w, "tolerated  %s\n  %s (%s)\n  because: %s\n\n", r.ID, r.Title, r.Rule(), r.Tolerated)
	case audit.NotApplicable:
		fmt.Fprintf(w, "not applicable  %s\n  %s\n\n", r.ID, report.Visible(r.Why))
	}
}

func (c Console) table(w io.Writer, r *audit.Report) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\t")
	for _, v := range audit.Verdicts() {
		fmt.Fprintf(t, "%s\t", v)
	}
	fmt.Fprintln(t)
	for _, g := range Groups(r) {
		fmt.Fprintf(t, "%s\t", g.Name)
		for _, v := range audit.Verdicts() {
			fmt.Fprintf(t, "%d\t", g.Count(v))
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush() // into memory, which does not fail
}

// Group is a group of attacks.
type Group struct {
	Name    string
	Results []audit.Result
}

// Count returns how many results have a verdict.
func (g Group) Count(v audit.Verdict) (n int) {
	for _, one := range g.Results {
		if one.Verdict == v {
			n++
		}
	}
	return n
}

// Groups returns the results by group, in the order in which they came.
func Groups(r *audit.Report) (all []Group) {
	for _, one := range r.Results {
		i := len(all) - 1
		for ; i >= 0 && all[i].Name != one.Group; i-- {
		}
		if i < 0 {
			all, i = append(all, Group{Name: one.Group}), len(all)
		}
		all[i].Results = append(all[i].Results, one)
	}
	return all
}
