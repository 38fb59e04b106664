package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"fido-emu/report"
	"fido-emu/report/archive"
)

func reportCommand(u ui) *cobra.Command {
	return group("report", "Runs that were kept: open one, compare several, make one of several",
		reportOpenCommand(u), reportCompareCommand(u), reportMergeCommand(u))
}

func reportOpenCommand(u ui) *cobra.Command {
	var asJSON, print bool
	c := &cobra.Command{
		Use:   "open [RUN]",
		Short: "Open the report of a run",
		Long: "open draws the report of a run anew from its events and shows it in the browser of this\n" +
			"desktop; without a desktop it prints how the run ended. A run is the folder that run\n" +
			"--reports left (reports when none is named), or its events.jsonl.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"reports"}
			}
			runs, err := readRuns(args...)
			if err != nil {
				return err
			}
			if asJSON {
				return u.printJSON(summaryOf(runs[0]))
			}
			return u.openReport(runs[0], print)
		},
	}
	c.Flags().BoolVar(&print, "print", false, "print how the run ended, and open no browser")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: outcome, counts and scenarios")
	return c
}

// runSummary is a run in the output of report open --json.
type runSummary struct {
	Run       string                 `json:"run"`
	Outcome   report.Outcome         `json:"outcome"`
	Counts    map[report.Outcome]int `json:"counts"`
	Scenarios []scenarioSummary      `json:"scenarios"`
}

type scenarioSummary struct {
	ID       string          `json:"id"`
	Title    string          `json:"title"`
	Outcome  report.Outcome  `json:"outcome"`
	Attempts int             `json:"attempts"`
	Failure  *report.Failure `json:"failure,omitempty"`
}

func summaryOf(r *archive.Run) runSummary {
	s := runSummary{Run: r.Name, Outcome: r.Model.Outcome, Counts: r.Model.Counts, Scenarios: []scenarioSummary{}}
	for _, sc := range r.Model.Scenarios {
		s.Scenarios = append(s.Scenarios, scenarioSummary{sc.ID, sc.FullTitle(), sc.Outcome(), len(sc.Attempts), sc.Last().Failure})
	}
	return s
}

// readRuns reads runs that were kept.
func readRuns(paths ...string) ([]*archive.Run, error) {
	runs, err := archive.ReadAll(paths)
	if err != nil {
		return nil, &exit{code: exitUsage, err: err, hint: "name the folder that harness run --reports left, or its " + report.EventsFile}
	}
	return runs, nil
}

// openReport draws the report and shows it where that is possible.
func (u ui) openReport(r *archive.Run, print bool) error {
	page := pageOf(r)
	pages := []string{page}
	unwritten := report.WriteFile(page, func(w io.Writer) error { return report.WriteHTML(w, r.Model) })
	if unwritten != nil {
		pages = nil
	} else if opener := u.browserOpener(); opener != "" && !print {
		if err := exec.Command(opener, page).Start(); err == nil {
			fmt.Fprintln(u.out, page)
			return nil
		}
	}
	// Merged, it has the end that it may lack.
	return errors.Join(archive.Merge([]*archive.Run{r}, "", u.console(func() []string { return pages }, false, true)), unwritten)
}

// pageOf names the report of a run: that of its folder, but of a run that broke off there
// and was kept beside others a page of its own.
func pageOf(r *archive.Run) string {
	if name := filepath.Base(r.File); name != report.EventsFile && name != report.PartFile {
		return strings.TrimSuffix(r.File, ".jsonl") + ".html"
	}
	return filepath.Join(r.Dir(), report.HTMLFile)
}

// tellKept tells of a run that broke off in a folder of reports.
func (u ui) tellKept(files *report.FileSink) {
	if kept := files.Kept(); kept != "" {
		fmt.Fprintf(u.err, "note: a run broke off here; harness report open %s shows what it had seen\n", kept)
	}
}

// browserOpener names the program that opens files on this desktop, if there is one.
func (u ui) browserOpener() string {
	name := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case u.getenv("DISPLAY") == "" && u.getenv("WAYLAND_DISPLAY") == "":
		return ""
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

func reportMergeCommand(u ui) *cobra.Command {
	var dir, name string
	c := &cobra.Command{
		Use:   "merge RUN RUN...",
		Short: "Make one report out of several runs",
		Long: "merge makes one report of runs that were made apart: on several machines, or a second run\n" +
			"of what failed in the first. A scenario that is in several runs has one attempt after the\n" +
			"other, in the order given, so that what passed at last is seen to have failed before.",
		Example: "  harness report merge night-1 night-2 --reports night",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			runs, err := readRuns(args...)
			if err != nil {
				return err
			}
			for _, r := range runs {
				if same(r.Dir(), dir) {
					return usage("choose another folder with --reports", "%s is one of the runs to merge", dir)
				}
			}
			return u.merge(runs, dir, name)
		},
	}
	c.Flags().StringVar(&dir, "reports", "merged", "folder for events.jsonl, junit.xml and report.html")
	c.Flags().StringVar(&name, "title", "", "title of the report (default: those of the runs)")
	return c
}

// same tells whether two paths are one folder.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func (u ui) merge(runs []*archive.Run, dir, name string) error {
	files, err := report.Files(dir)
	if err != nil {
		return &exit{code: exitBench, err: err, hint: "choose another folder with --reports"}
	}
	u.tellKept(files)
	result := &last{}
	err = errors.Join(archive.TakeFiles(runs, dir), archive.Merge(runs, name, files, u.console(files.Written, false, true), result))
	if err != nil {
		return &exit{code: exitBench, err: err}
	}
	return verdict(result.counts)
}

// last is a sink that remembers how a run ended.
type last struct{ counts map[report.Outcome]int }

// Event looks at the end of the run.
func (l *last) Event(e *report.Event) error {
	if e.Kind == report.RunEnd {
		l.counts = e.Run.Counts
	}
	return nil
}

func reportCompareCommand(u ui) *cobra.Command {
	var asJSON, all bool
	c := &cobra.Command{
		Use:   "compare OLD... NEW",
		Short: "Tell what broke, what was mended and what is flaky since earlier runs",
		Long: "compare holds the last run against those before it. A scenario that passes now is flaky when\n" +
			"it took several attempts, or when it has gone from passed to failed and back in these runs;\n" +
			"the more runs, the better that is known. It is slower when it took more than twice the time\n" +
			"and half a second more.\n\n" +
			"The exit code is 1 when something broke, or came and does not pass.",
		Example: "  harness report compare monday tuesday\n  harness report compare nights/* --json",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			runs, err := readRuns(args...)
			if err != nil {
				return err
			}
			c := archive.Compare(runs)
			if asJSON {
				err = u.printJSON(c)
			} else {
				_, err = io.WriteString(u.out, compared(c, all))
			}
			if err == nil && c.Worse() {
				err = &exit{code: exitFailed}
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&all, "all", false, "list also what did not change")
	return c
}

// compared is a comparison as text: the changes with their scenarios, then a line that
// counts them.
func compared(c *archive.Comparison, all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s → %s\n", strings.Join(c.Runs[:len(c.Runs)-1], ", "), c.Runs[len(c.Runs)-1])
	wide := 0
	for _, s := range c.Scenarios {
		if s.Change != archive.Same || all {
			wide = max(wide, len([]rune(s.Title)))
		}
	}
	var counts []string
	for _, change := range archive.Changes() {
		n := c.Counts[change]
		if n == 0 {
			continue
		}
		counts = append(counts, fmt.Sprintf("%d %s", n, change))
		if change == archive.Same && !all {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", change)
		for _, s := range c.Scenarios {
			if s.Change == change {
				writeChange(&b, s, wide)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", strings.Join(counts, ", "))
	return b.String()
}

func writeChange(b *strings.Builder, s archive.Scenario, wide int) {
	var history []string
	for _, o := range s.History {
		if o == "" {
			o = "-"
		}
		history = append(history, string(o))
	}
	fmt.Fprintf(b, "  %s%s  %s", s.Title, strings.Repeat(" ", wide-len([]rune(s.Title))), strings.Join(history, " → "))
	if s.Attempts > 1 {
		fmt.Fprintf(b, " in %d attempts", s.Attempts)
	}
	if s.Change == archive.Slower {
		fmt.Fprintf(b, ", %v instead of %v", s.Now.Round(1e6), s.Before.Round(1e6))
	}
	b.WriteByte('\n')
	switch {
	case s.Failure != nil:
		fmt.Fprintf(b, "    %s: %s\n", s.Failure.Location.String(), s.Failure.Message)
	case s.Change == archive.NotRun && s.Reason != "":
		fmt.Fprintf(b, "    %s\n", s.Reason)
	}
}
