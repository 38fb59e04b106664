package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// WriteAnnotations writes what went wrong in a run as workflow commands of GitHub
// Actions, which shows them at the line of the scenario: errors for what failed, for
// faults of the bench and for what took too long; warnings for what passed only after
// a retry, and for slots of a bench that were set aside.
func WriteAnnotations(w io.Writer, m *Model) error {
	for _, sc := range m.Scenarios {
		level := "error"
		if sc.Flaky() {
			level = "warning"
		} else if !sc.Outcome().Bad() {
			continue
		}
		a := sc.lastBad()
		at := sc.Location
		if a.Failure != nil && a.Failure.Location.File != "" {
			at = a.Failure.Location
		}
		place := fmt.Sprintf("file=%s,line=%d,title=%s", commandProperty(at.File), max(at.Line, 1), commandProperty(sc.FullTitle()+": "+sc.verdict()))
		if _, err := fmt.Fprintf(w, "::%s %s::%s\n", level, place, commandData(a.account())); err != nil {
			return err
		}
	}
	for _, s := range m.Run.Slots {
		if s.SetAside == "" || s.Used == 0 {
			continue
		}
		title := fmt.Sprintf("Slot %s is set aside after %s", s.Name, plural(len(s.Faults), "fault"))
		if _, err := fmt.Fprintf(w, "::warning title=%s::%s\n", commandProperty(title), commandData(s.SetAside)); err != nil {
			return err
		}
	}
	return nil
}

// lastBad returns the last attempt that went wrong.
func (s *ScenarioResult) lastBad() *Attempt {
	for _, a := range slices.Backward(s.Attempts) {
		if a.Outcome.Bad() {
			return a
		}
	}
	return s.Last()
}

// WriteMarkdown writes a run for the summary page of a job: how it ended, what went
// wrong, and the scenarios that passed behind a fold.
func WriteMarkdown(w io.Writer, m *Model) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s %s\n\n%s in %s\n", htmlMarks[m.Outcome], cell(m.Run.Title), m.tally(), span(m.Duration))
	bad := func(sc *ScenarioResult) bool { return sc.Outcome().Bad() || sc.Flaky() }
	markdownTable(&b, m, "| | scenario | what happened |\n|---|---|---|\n", bad, func(sc *ScenarioResult) string {
		return cell(sc.lastBad().headline())
	})
	b.WriteString("\n<details><summary>The other scenarios</summary>\n")
	rest := func(sc *ScenarioResult) bool { return !bad(sc) }
	markdownTable(&b, m, "| | scenario | time |\n|---|---|---|\n", rest, func(sc *ScenarioResult) string {
		return cmp.Or(cell(sc.Last().Reason), span(sc.Duration()))
	})
	b.WriteString("\n</details>\n")
	markdownSlots(&b, m.Run.Slots)
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownSlots tells how the slots of a bench fared.
func markdownSlots(b *strings.Builder, all []SlotUse) {
	if len(all) == 0 {
		return
	}
	b.WriteString("\n| slot | what sits there | attempts | health | |\n|---|---|---|---|---|\n")
	for _, s := range all {
		health := s.After
		if s.Before != s.After {
			health = s.Before + " → " + s.After
		}
		fmt.Fprintf(b, "| %s | %s | %d | %s | %s |\n", cell(s.Name), cell(cmp.Or(s.Sits(), s.Kind)), s.Used, cell(health), cell(s.Marks()))
	}
}

func markdownTable(b *strings.Builder, m *Model, head string, wanted func(*ScenarioResult) bool, says func(*ScenarioResult) string) {
	for _, sc := range m.Scenarios {
		if wanted(sc) {
			if head != "" {
				b.WriteString("\n" + head)
				head = ""
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", htmlMarks[sc.Outcome()], cell(sc.FullTitle()), says(sc))
		}
	}
}

// cell makes text fit for a cell of a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", "<br>", "<", "&lt;", "`", "'").Replace(lines(s))
}

// commandData and commandProperty escape as the workflow commands want it.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func commandProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandData(s))
}

// GitHub is a sink that tells GitHub Actions how a run went. See [NewGitHub].
type GitHub struct {
	w       io.Writer
	summary string
	b       builder
}

// NewGitHub returns a sink that, once the run has ended, writes annotations to w and
// appends to the file summary, which the variable GITHUB_STEP_SUMMARY names; without
// one there is no summary.
func NewGitHub(w io.Writer, summary string) *GitHub { return &GitHub{w: w, summary: summary} }

// Event keeps e.
func (g *GitHub) Event(e *Event) error {
	g.b.add(e)
	return nil
}

// Close writes the annotations and the summary.
func (g *GitHub) Close() error {
	m := g.b.finish()
	err := WriteAnnotations(g.w, m)
	if g.summary == "" {
		return err
	}
	f, openErr := os.OpenFile(g.summary, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if openErr != nil {
		return errors.Join(err, fmt.Errorf("summary of the job: %w", openErr))
	}
	return errors.Join(err, WriteMarkdown(f, m), f.Close())
}
