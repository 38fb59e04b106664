package conformance

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"fido-emu/ctap/conformance"
	"fido-emu/report"
)

//go:embed page/cases.css
var casesCSS string

//go:embed page/cases.js
var casesJS string

//go:embed page/cases.html.tmpl
var casesTemplate string

//go:embed page/coverage.html.tmpl
var coverageTemplate string

var (
	casesPage    = parse("cases", casesTemplate)
	coveragePage = parse("coverage", coverageTemplate)
)

func parse(name, text string) *template.Template {
	return template.Must(template.New(name).Funcs(template.FuncMap{
		"span": report.Span, "visible": report.Visible, "tree": report.Tree, "class": class, "mark": mark, "hex": hex, "count": count,
	}).Parse(text))
}

// pageView is what both pages draw.
type pageView struct {
	*conformance.Report
	CSS     template.CSS
	JS      template.JS
	Policy  string
	Verdict conformance.Outcome
	Tally   string
	Bar     []barPart
	Bad     []*caseView // failed, or the bench was at fault
	Seen    []*caseView // tolerated
	Lacking []reasonView
	Groups  []groupView
	Rows    []*Row
	Open    int // sections of the catalogue without a case
}

// barPart is a part of the bar of outcomes, in thousandths of it.
type barPart struct {
	Outcome         conformance.Outcome
	Count, X, Width int
}

// groupView is a group with the cases that passed.
type groupView struct {
	conformance.GroupCounts
	Title string
	Cases []*caseView
}

// reasonView is a reason for which cases were not applicable or not run.
type reasonView struct {
	Outcome conformance.Outcome
	Reason  string
	Cases   []*caseView
}

// caseView is a case.
type caseView struct {
	*conformance.Result
	Place     string
	Search    string // what the filter looks in, lower case
	Open      bool
	Exchanges []exchangeView
}

// maxOpen is how many failed cases stand open from the start.
const maxOpen = 5

// WriteHTML writes a report as one self-contained page: failed cases first, each with
// its exchanges decoded beside what the specification asks for. titles are those of
// the groups, by name.
func WriteHTML(w io.Writer, r *conformance.Report, titles map[string]string) error {
	v := newPageView(r)
	for _, g := range r.ByGroup() {
		v.Groups = append(v.Groups, groupView{GroupCounts: g, Title: titles[g.Group]})
	}
	for i := range r.Results {
		v.place(newCaseView(&r.Results[i]))
	}
	return casesPage.Execute(w, v)
}

// WriteCoverage writes a page of the sections of the specifications with their cases.
func WriteCoverage(w io.Writer, r *conformance.Report) error {
	v := newPageView(r)
	v.Rows = Coverage(r)
	v.Open = Uncovered(v.Rows)
	return coveragePage.Execute(w, v)
}

func newPageView(r *conformance.Report) *pageView {
	css := report.Style() + casesCSS
	v := &pageView{Report: r, CSS: template.CSS(css), JS: template.JS(casesJS), Policy: report.Policy(css, casesJS), Verdict: verdict(r)}
	counts := r.Counts()
	var parts []string
	x := 0
	for _, o := range conformance.Outcomes {
		if n := counts[o]; n > 0 {
			width := max(12, 1000*n/len(r.Results))
			v.Bar = append(v.Bar, barPart{o, n, x, width})
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
			x += width
		}
	}
	v.Tally = strings.Join(parts, ", ")
	return v
}

// verdict is the outcome of the whole.
func verdict(r *conformance.Report) conformance.Outcome {
	counts := r.Counts()
	switch {
	case counts[conformance.Failed] > 0:
		return conformance.Failed
	case counts[conformance.Errored] > 0 || r.Stopped != "":
		return conformance.Errored
	case counts[conformance.Passed]+counts[conformance.Tolerated] == 0:
		return conformance.NotRun
	}
	return conformance.Passed
}

// place puts a case where the page has its outcome.
func (v *pageView) place(c *caseView) {
	switch c.Outcome {
	case conformance.Failed, conformance.Errored:
		c.Open = len(v.Bad) < maxOpen
		v.Bad = append(v.Bad, c)
	case conformance.Tolerated:
		v.Seen = append(v.Seen, c)
	case conformance.NotApplicable, conformance.NotRun:
		v.lacks(c)
	default:
		for i := range v.Groups {
			if v.Groups[i].Group == c.Group {
				v.Groups[i].Cases = append(v.Groups[i].Cases, c)
			}
		}
	}
}

func (v *pageView) lacks(c *caseView) {
	for i := range v.Lacking {
		if l := &v.Lacking[i]; l.Outcome == c.Outcome && l.Reason == c.Reason {
			l.Cases = append(l.Cases, c)
			return
		}
	}
	v.Lacking = append(v.Lacking, reasonView{c.Outcome, c.Reason, []*caseView{c}})
}

func newCaseView(r *conformance.Result) *caseView {
	c := &caseView{Result: r, Place: r.Rule().String()}
	words := []string{r.ID, c.Place, r.Why, r.Reason}
	for _, f := range r.Failures {
		words = append(words, f.Text, f.Want, f.Got)
	}
	for _, d := range r.Deviations {
		words = append(words, d.What, d.Source)
	}
	c.Search = strings.ToLower(report.Visible(strings.Join(words, " ")))
	for i := range r.Exchanges {
		c.Exchanges = append(c.Exchanges, newExchangeView(r, i))
	}
	return c
}

// class names an outcome in the style sheet.
func class(o conformance.Outcome) string {
	switch o {
	case conformance.Tolerated:
		return "timeout" // it has the colour of what is worth a look
	case conformance.NotApplicable, conformance.NotRun:
		return "skipped"
	}
	return string(o)
}

func mark(o conformance.Outcome) string {
	switch o {
	case conformance.Passed:
		return "✓"
	case conformance.Failed:
		return "✗"
	case conformance.Tolerated:
		return "≈"
	case conformance.Errored:
		return "!"
	}
	return "–"
}

func count(c conformance.Counts, o string) int { return c[conformance.Outcome(o)] }
