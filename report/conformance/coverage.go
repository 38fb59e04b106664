package conformance

import (
	"slices"
	"strings"

	"fido-emu/ctap/conformance"
	"fido-emu/report"
)

// Row is a section and the cases that stand for it.
type Row struct {
	Section
	Results []*conformance.Result // none where the section is not covered
	Counts  conformance.Counts
}

// Coverage returns the sections of the catalogue and those that cases name besides, by
// document and number, each with its cases.
func Coverage(r *conformance.Report) []*Row {
	catalogue := Catalogue()
	every := &conformance.Report{}
	for i := range r.Results {
		every.Results = append(every.Results, conformance.Result{Document: r.Results[i].Document, Section: numbers(r.Results[i].Section)})
	}
	for _, s := range catalogue {
		every.Results = append(every.Results, conformance.Result{Document: s.Document, Section: s.Number})
	}
	var rows []*Row
	for _, c := range every.Sections() {
		row := &Row{Section: Section{Document: c.Document, Number: c.Section}, Counts: conformance.Counts{}}
		if i := slices.IndexFunc(catalogue, row.same); i >= 0 {
			row.Title = catalogue[i].Title
		}
		for i := range r.Results {
			if x := &r.Results[i]; row.same(Section{Document: x.Document, Number: numbers(x.Section)}) {
				row.Results = append(row.Results, x)
				row.Counts[x.Outcome]++
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// numbers leaves out which step of a section a rule is.
func numbers(section string) string {
	section, _, _ = strings.Cut(section, " ")
	return section
}

func (r *Row) same(s Section) bool { return s.Document == r.Document && s.Number == r.Number }

// Uncovered counts the rows without a case.
func Uncovered(rows []*Row) (n int) {
	for i := range rows {
		if len(rows[i].Results) == 0 {
			n++
		}
	}
	return n
}

// OutcomeCount is how often there was an outcome.
type OutcomeCount struct {
	Outcome conformance.Outcome
	Count   int
}

// Tally lists the outcomes of the section's cases that there are, in the order of
// tables.
func (r *Row) Tally() (all []OutcomeCount) {
	for _, o := range conformance.Outcomes {
		if n := r.Counts[o]; n > 0 {
			all = append(all, OutcomeCount{o, n})
		}
	}
	return all
}

// Search is what the page's filter looks in.
func (r *Row) Search() string {
	words := []string{string(r.Document), r.Number, r.Title}
	for _, x := range r.Results {
		words = append(words, x.ID, x.Why)
	}
	return strings.ToLower(report.Visible(strings.Join(words, " ")))
}
