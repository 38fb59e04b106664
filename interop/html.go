package interop

import (
	_ "embed"
	"html/template"
	"io"
	"slices"

	"fido-emu/report"
)

//go:embed page.html.tmpl
var pageTemplate string

//go:embed page.css
var pageCSS string

// pageView is what the page draws.
type pageView struct {
	*Matrix
	CSS     template.CSS
	Policy  string
	Verdict report.Outcome
	Facts   []fact
	Tables  []tableView
}

type fact struct {
	Name  string
	Value int
}

// tableView is a server with one conveyance.
type tableView struct {
	Standing
	ID, Attestation string
	Rows            []rowView
	Reasons         []reasonView
}

type rowView struct {
	Profile string
	Cells   []cellView
}

type cellView struct {
	Mark, Class string
	Number      int // of the reason, from 1; 0 for passed
}

type reasonView struct {
	Number                  int
	Mark, Why, Says, Places string
}

// WriteHTML draws the matrix as a page that needs no network and runs nothing.
func (m *Matrix) WriteHTML(w io.Writer) error {
	page, err := template.New("matrix").Funcs(template.FuncMap{"visible": report.Visible}).Parse(pageTemplate)
	if err != nil {
		return err
	}
	css := report.Style() + pageCSS
	v := pageView{Matrix: m, CSS: template.CSS(css), Policy: report.Policy(css, ""), Verdict: report.Passed}
	if len(m.Bad()) > 0 {
		v.Verdict = report.Failed
	}
	v.Facts = m.facts()
	for _, t := range m.Targets {
		if t.Absent != "" {
			v.Tables = append(v.Tables, tableView{Standing: t, ID: t.Name})
			continue
		}
		for _, a := range t.Asks {
			v.Tables = append(v.Tables, m.tableOf(t, a))
		}
	}
	return page.Execute(w, v)
}

func (m *Matrix) facts() []fact {
	marks, absent := m.marks(), m.absent()
	return []fact{
		{"servers", len(m.Targets) - absent}, {"left out", absent}, {"cells", len(m.Cells)}, {"passed", marks["passed"]},
		{"refused, reason known", marks["refused"]}, {"not applicable", marks["n/a"]}, {"bad", len(m.Bad())},
	}
}

func (m *Matrix) tableOf(t Standing, attestation string) tableView {
	cells := m.of(t.Name, attestation)
	reasons := reasonsOf(cells)
	v := tableView{Standing: t, ID: t.Name + "-" + attestation, Attestation: attestation}
	for i, r := range reasons {
		v.Reasons = append(v.Reasons, reasonView{i + 1, r.Mark, r.Why, r.Says, r.Places(len(m.Scenarios))})
	}
	for _, p := range m.Profiles {
		row := rowView{Profile: p}
		for _, s := range m.Scenarios {
			c := find(cells, p, s.ID)
			row.Cells = append(row.Cells, cellView{Mark: c.mark(), Class: class(c), Number: numberOf(reasons, c)})
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func class(c Cell) string {
	switch mark := c.mark(); mark {
	case "n/a":
		return "skipped"
	case "passed", "refused":
		return mark
	}
	return "failed"
}

// numberOf finds the reason of a cell, 0 for none.
func numberOf(reasons []Reason, c Cell) int {
	return 1 + slices.IndexFunc(reasons, func(r Reason) bool { return slices.Contains(r.Cells, c) })
}
