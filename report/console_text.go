package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// columns holds the widths of the columns that vary.
type columns struct{ title, outcome int }

// layout finds the widths for a plan. On a terminal a line keeps within width;
// elsewhere it is as wide as the longest title needs.
func layout(plan []Scenario, o ConsoleOptions) columns {
	c := columns{title: 24, outcome: 7}
	for _, sc := range plan {
		r := ScenarioResult{Scenario: sc}
		c.title = max(c.title, utf8.RuneCountInString(r.FullTitle()))
		if sc.Attempts > 1 {
			c.outcome = len("passed on attempt 2 of 3")
		}
	}
	room := max(24, o.Width-2-2-c.outcome-2-8-2-8)
	if len(plan) == 0 || o.Terminal && c.title > room {
		c.title = room
	}
	return c
}

// fit pads s to n runes.
func fit(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}

// right pads s to n runes from the left.
func right(s string, n int) string {
	return strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s))) + s
}

// cut shortens s to n runes.
func (p palette) cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-len([]rune(p.more)))]) + p.more
}

// palette holds the marks and colours that the console may use.
type palette struct {
	colour  bool
	spinner []string
	dot     string
	more    string // what stands for text that was cut off
	marks   map[Outcome]string
	flaky   string
}

func newPalette(o ConsoleOptions) palette {
	if o.ASCII {
		return palette{
			colour: o.Colour, spinner: []string{"|", "/", "-", `\`}, dot: "-", more: "...", flaky: "~",
			marks: map[Outcome]string{Passed: "+", Failed: "x", Error: "!", Timeout: "t", Aborted: ".", Skipped: "-"},
		}
	}
	return palette{
		colour: o.Colour, spinner: strings.Split("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", ""), dot: "·", more: "…", flaky: "~",
		marks: map[Outcome]string{Passed: "✓", Failed: "✗", Error: "!", Timeout: "◷", Aborted: "·", Skipped: "-"},
	}
}

// sgr holds the ANSI colour of every outcome.
var sgr = map[Outcome]string{Passed: "32", Failed: "31", Error: "35", Timeout: "33", Aborted: "90", Skipped: "90"}

func (p palette) ansi(code, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) bold(s string) string             { return p.ansi("1", s) }
func (p palette) dim(s string) string              { return p.ansi("2", s) }
func (p palette) yellow(s string) string           { return p.ansi("33", s) }
func (p palette) paint(o Outcome, s string) string { return p.ansi(sgr[o], s) }

func (p palette) mark(o Outcome, flaky bool) string {
	if flaky {
		return p.yellow(p.flaky)
	}
	return p.paint(o, p.marks[o])
}

// summary prints what comes below the table.
func (c *Console) summary(out *bytes.Buffer) {
	m := c.b.finish()
	c.failures(out, m)
	line := fmt.Sprintf("%s in %s", m.tally(), span(m.Duration))
	if m.Run.Seed != nil && m.Outcome != Passed {
		line += fmt.Sprintf("; repeat with --seed %d", *m.Run.Seed)
	}
	fmt.Fprintf(out, "\n%s %s\n", c.p.mark(m.Outcome, false), c.p.bold(line))
	if slots := slotLine(m.Run.Slots); slots != "" {
		fmt.Fprintf(out, "  %s\n", clean(slots))
	}
}

func (c *Console) failures(out *bytes.Buffer, m *Model) {
	for _, sc := range m.Scenarios {
		if sc.Outcome().Bad() {
			fmt.Fprintf(out, "\n%s %s  %s\n", c.p.mark(sc.Outcome(), false), c.p.bold(sc.FullTitle()), c.p.dim(clean(sc.ID)))
			c.failure(out, sc.Last())
		}
	}
}

func (c *Console) failure(out *bytes.Buffer, a *Attempt) {
	f := a.Failure
	if f == nil {
		f = &Failure{Message: "ended as " + string(a.Outcome) + " without saying why"}
	}
	if at := f.Location.String(); at != "" {
		fmt.Fprintf(out, "  %s\n", clean(at))
	}
	if s := a.failedStep(); s != nil {
		fmt.Fprintf(out, "  step %d: %s\n", s.Index, clean(s.Text))
	}
	for line := range strings.Lines(f.Message) {
		fmt.Fprintf(out, "  %s\n", c.p.paint(a.Outcome, clean(line)))
	}
	extras := [][2]string{{"device", f.Device}}
	for _, d := range a.seated() {
		if f.Device == "" || f.Device == d.Name {
			extras = append(extras, [2]string{"slot", d.seat()})
		}
	}
	for _, extra := range append(extras, [2]string{"hint", f.Hint}) {
		if extra[1] != "" {
			fmt.Fprintf(out, "  %s %s\n", c.p.dim(fit(extra[0], 6)), clean(extra[1]))
		}
	}
}

// failedStep returns the first step that went wrong, nil when none did.
func (a *Attempt) failedStep() *StepResult {
	for _, s := range a.Steps {
		if s.Outcome.Bad() && s.Index > 0 {
			return s
		}
	}
	return nil
}
