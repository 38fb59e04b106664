package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// The rules of the console:
//   - one line a scenario, in columns: mark, title, outcome, steps, time; the
//     lines together are the table of the run
//   - on a terminal the lines of running scenarios change in place; elsewhere a
//     line is printed once, when its scenario has ended
//   - below the table come the failures, then one line that sums up, then the
//     reports that were written
//   - colour never carries what a word or a mark does not
//   - text from events is cleaned of control characters

// ConsoleOptions says what the console may use.
type ConsoleOptions struct {
	Terminal bool // lines may be rewritten in place
	Colour   bool // ANSI colours may be used
	ASCII    bool // only ASCII marks may be used
	Width    int  // columns; 0 is 100
	Verbose  bool // print every step

	// Reports names the files that were written, which Close lists; nil for none.
	Reports func() []string
}

// DetectConsole finds out what f can show. getenv is [os.Getenv] or stands in for
// it; NO_COLOR, TERM and the locale are respected.
func DetectConsole(f *os.File, getenv func(string) string) ConsoleOptions {
	fd := int(f.Fd())
	o := ConsoleOptions{Terminal: term.IsTerminal(fd) && getenv("TERM") != "dumb"}
	o.Colour = o.Terminal && getenv("NO_COLOR") == ""
	o.ASCII = asciiOnly(getenv)
	if w, _, err := term.GetSize(fd); err == nil {
		o.Width = w
	}
	return o
}

// asciiOnly tells whether the locale names a character set other than UTF-8.
func asciiOnly(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(getenv(name)); v != "" {
			return !strings.Contains(v, "UTF-8") && !strings.Contains(v, "UTF8")
		}
	}
	return false
}

// Console shows a run to people while it goes on. It is a [Sink].
type Console struct {
	w     io.Writer
	o     ConsoleOptions
	p     palette
	b     builder
	table columns
	live  []string // IDs of the scenarios that are running, on a terminal
	drawn int      // lines at the bottom that the next drawing replaces
	frame int      // of the spinner
	last  time.Time

	broken bool // nothing can be written any more
}

// NewConsole returns a console that writes to w.
func NewConsole(w io.Writer, o ConsoleOptions) *Console {
	if o.Width <= 0 {
		o.Width = 100
	}
	return &Console{w: w, o: o, p: newPalette(o)}
}

// refresh is how often at most the running lines are drawn again.
const refresh = 40 * time.Millisecond

// Event shows e. The error is that of the writer.
func (c *Console) Event(e *Event) error {
	c.b.add(e)
	var out bytes.Buffer
	switch e.Kind {
	case RunStart:
		c.header(&out)
	case ScenarioStart:
		if c.o.Terminal {
			c.live = append(c.live, e.ScenarioID)
		}
	case StepEnd:
		if c.o.Verbose {
			c.stepLine(&out, e)
		}
	case Note:
		switch {
		case e.ScenarioID == "": // it is about the run, and told to everybody
			fmt.Fprintf(&out, "%s %s\n", c.p.dim("note"), clean(e.Text))
		case c.o.Verbose:
			fmt.Fprintf(&out, "      %s %s\n", c.p.dim("note"), clean(e.Text))
		}
	case ScenarioEnd:
		c.finished(&out, e)
	case RunEnd:
		c.live = nil
		c.summary(&out)
	}
	return c.draw(out.String(), e)
}

// draw prints permanent lines above the running ones, which it draws again.
func (c *Console) draw(permanent string, e *Event) error {
	if !c.o.Terminal {
		return c.print(permanent)
	}
	due := e.Time.Sub(c.last) >= refresh || e.Kind == ScenarioStart || e.Kind == StepStart || e.Kind == RunEnd
	if permanent == "" && !due {
		return nil
	}
	c.last = e.Time
	c.frame++
	var out strings.Builder
	if c.drawn > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\r\x1b[J", c.drawn)
	}
	out.WriteString(permanent)
	for _, id := range c.live {
		out.WriteString(c.running(c.b.byID[id]) + "\n")
	}
	c.drawn = len(c.live)
	return c.print(out.String())
}

// print writes, unless that went wrong before: it is said once.
func (c *Console) print(s string) (err error) {
	if !c.broken {
		_, err = io.WriteString(c.w, s)
		c.broken = err != nil
	}
	return err
}

// Close lists the reports.
func (c *Console) Close() error {
	if c.o.Reports == nil {
		return nil
	}
	var out strings.Builder
	for _, path := range c.o.Reports() {
		fmt.Fprintf(&out, "  %s\n", path)
	}
	return c.print(out.String())
}

func (c *Console) header(out *bytes.Buffer) {
	run := c.b.model.Run
	c.table = layout(run.Plan, c.o)
	parts := []string{plural(run.Scenarios, "scenario")}
	if run.Seed != nil {
		parts = append(parts, fmt.Sprintf("seed %d", *run.Seed))
	}
	if run.Version != "" {
		parts = append(parts, clean(run.Version))
	}
	fmt.Fprintf(out, "%s %s\n\n", c.p.bold(clean(run.Title)), c.p.dim(c.p.dot+" "+strings.Join(parts, " "+c.p.dot+" ")))
}

// running is the changing line of a scenario that has not ended.
func (c *Console) running(sc *ScenarioResult) string {
	text, a := "", sc.Last()
	if n := len(a.Steps); n > 0 {
		s := a.Steps[n-1]
		text = fmt.Sprintf("%d/%d %s", s.Index, sc.Steps, clean(s.Text))
	}
	if a.Number > 1 {
		text = fmt.Sprintf("attempt %d %s %s", a.Number, c.p.dot, text)
	}
	title := c.title(sc)
	rest := c.o.Width - c.table.title - 6
	return c.p.paint(Passed, c.p.spinner[c.frame%len(c.p.spinner)]) + " " + title + "  " + c.p.dim(c.p.cut(text, rest))
}

func (c *Console) stepLine(out *bytes.Buffer, e *Event) {
	s := c.b.byID[e.ScenarioID].Last().step(e)
	fmt.Fprintf(out, "    %s %2d  %s  %s\n", c.p.mark(e.Outcome, false), s.Index, clean(s.Text), c.p.dim(span(e.Duration)))
}

// finished prints the line of a scenario that has ended, and one for an attempt
// that is going to be repeated.
func (c *Console) finished(out *bytes.Buffer, e *Event) {
	for i, id := range c.live {
		if id == e.ScenarioID {
			c.live = append(c.live[:i:i], c.live[i+1:]...)
			break
		}
	}
	sc := c.b.byID[e.ScenarioID]
	a := sc.Last()
	again := a.Outcome.Bad() && a.Number < sc.Scenario.Attempts
	unsure := sc.Flaky() || again
	mark := c.p.mark(a.Outcome, unsure)
	colour := func(s string) string { return c.p.paint(a.Outcome, s) }
	if unsure {
		colour = c.p.yellow
	}
	fmt.Fprintf(out, "%s %s  %s  %s  %s\n", mark, c.title(sc),
		colour(fit(sc.verdict(), c.table.outcome)),
		c.p.dim(fmt.Sprintf("%8s", plural(sc.Steps, "step"))), c.p.dim(right(brief(a.Duration), 8)))
	if a.Reason != "" {
		fmt.Fprintf(out, "  %s\n", c.p.dim(clean(a.Reason)))
	}
}

// title fills the column of titles.
func (c *Console) title(sc *ScenarioResult) string {
	title := sc.FullTitle()
	if c.o.Terminal {
		title = c.p.cut(title, c.table.title)
	}
	return fit(title, c.table.title)
}

// FullTitle returns the title with the values of the matrix.
func (s *ScenarioResult) FullTitle() string {
	if v := s.variant(); v != "" {
		return clean(s.Title + " [" + v + "]")
	}
	return clean(s.Title)
}
