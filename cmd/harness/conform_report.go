package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"fido-emu/ctap/conformance"
	pages "fido-emu/report/conformance"
)

// conformReports writes what --reports asks for besides the results, which were
// written as they came.
func (f conformFlags) conformReports(r *conformance.Report, groups []conformance.Group) error {
	if f.reports == "" {
		return nil
	}
	return errors.Join(
		writeReport(f.reports, "conformance.html", func(w io.Writer) error { return pages.WriteHTML(w, r, titles(groups)) }),
		writeReport(f.reports, "coverage.html", func(w io.Writer) error { return pages.WriteCoverage(w, r) }),
		writeReport(f.reports, "junit.xml", func(w io.Writer) error { return pages.WriteJUnit(w, r) }),
	)
}

// writeReport writes a file, which takes its name when it is complete.
func writeReport(dir, name string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(dir, name+".*") // of mode 0600
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("report %s: %w", name, err), os.Remove(file.Name()))
	}
	return nil
}

func titles(groups []conformance.Group) map[string]string {
	byName := map[string]string{}
	for _, g := range groups {
		byName[g.Name] = g.Title
	}
	return byName
}

// showCoverage prints every section that the suite ought to cover, with the outcomes
// of its cases.
func showCoverage(w io.Writer, r *conformance.Report) {
	rows := pages.Coverage(r)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(t, "%s %s\t%s\t", row.Document, row.Number, row.Title)
		if len(row.Results) == 0 {
			fmt.Fprint(t, "not covered")
		}
		for i, o := range row.Tally() {
			if i > 0 {
				fmt.Fprint(t, ", ")
			}
			fmt.Fprintf(t, "%d %s", o.Count, o.Outcome)
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush() // what cannot be written has no reader
	fmt.Fprintf(w, "%d sections, %d of them without a case\n", len(rows), pages.Uncovered(rows))
}
