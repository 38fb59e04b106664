package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fido-emu/report"
)

// mark is the word for a cell in the matrix.
func (c Cell) mark() string {
	switch {
	case c.Outcome == report.Passed:
		return "passed"
	case c.Outcome == report.Skipped:
		return "n/a"
	case c.Known != "":
		return "refused"
	}
	return strings.ToUpper(string(c.Outcome))
}

// WriteText prints the matrix: a table for each server and conveyance, then each reason
// why a cell did not pass or does not apply, with the cells that it is of.
func (m *Matrix) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, t := range m.Targets {
		if t.Absent != "" {
			fmt.Fprintf(&b, "%s %s: left out, %s\n\n", t.Library, t.Version, t.Absent)
			continue
		}
		for _, a := range t.Asks {
			fmt.Fprintf(&b, "%s %s, attestation %s\n", t.Library, t.Version, a)
			m.table(&b, m.of(t.Name, a))
			m.reasons(&b, m.of(t.Name, a))
			b.WriteByte('\n')
		}
	}
	fmt.Fprintln(&b, m.Sum())
	_, err := io.WriteString(w, b.String())
	return err
}

func (m *Matrix) of(target, attestation string) (cells []Cell) {
	for _, c := range m.Cells {
		if c.Target == target && c.Attestation == attestation {
			cells = append(cells, c)
		}
	}
	return cells
}

func (m *Matrix) table(b *strings.Builder, cells []Cell) {
	fmt.Fprintf(b, "  %-24s", "")
	for _, s := range m.Scenarios {
		fmt.Fprintf(b, " %-17s", s.ID)
	}
	b.WriteByte('\n')
	for _, p := range m.Profiles {
		fmt.Fprintf(b, "  %-24s", p)
		for _, s := range m.Scenarios {
			fmt.Fprintf(b, " %-17s", find(cells, p, s.ID).mark())
		}
		b.WriteByte('\n')
	}
}

func find(cells []Cell, profile, scenario string) Cell {
	i := slices.IndexFunc(cells, func(c Cell) bool { return c.Profile == profile && c.Scenario == scenario })
	if i < 0 {
		return Cell{Outcome: report.Skipped}
	}
	return cells[i]
}

// Reason is why some cells did not pass or do not apply.
type Reason struct {
	Mark  string // as in the table
	Why   string // in our words where they are known, otherwise the server's
	Says  string // the server's, of the first of them
	Cells []Cell
}

// reasonsOf gathers what the cells that did not pass say, each reason once.
func reasonsOf(cells []Cell) (all []Reason) {
	for _, c := range cells {
		if c.Outcome == report.Passed {
			continue
		}
		r := Reason{Mark: c.mark(), Why: c.Known, Says: c.Reason}
		if r.Why == "" {
			r.Why, r.Says = r.Says, ""
		}
		i := slices.IndexFunc(all, func(o Reason) bool { return o.Mark == r.Mark && o.Why == r.Why })
		if i < 0 {
			i, all = len(all), append(all, r)
		}
		all[i].Cells = append(all[i].Cells, c)
	}
	return all
}

// Places names the profiles of a reason's cells, with the scenarios of each unless it
// is all of them.
func (r Reason) Places(scenarios int) string {
	ids := map[string][]string{}
	var profiles []string
	for _, c := range r.Cells {
		if ids[c.Profile] == nil {
			profiles = append(profiles, c.Profile)
		}
		ids[c.Profile] = append(ids[c.Profile], c.Scenario)
	}
	common := ids[profiles[0]]
	same := !slices.ContainsFunc(profiles, func(p string) bool { return !slices.Equal(ids[p], common) })
	if same {
		return strings.Join(profiles, ", ") + only(common, scenarios)
	}
	for i, p := range profiles {
		profiles[i] = p + only(ids[p], scenarios)
	}
	return strings.Join(profiles, ", ")
}

func only(ids []string, scenarios int) string {
	if len(ids) == scenarios {
		return ""
	}
	return " (" + strings.Join(ids, ", ") + ")"
}

func (m *Matrix) reasons(b *strings.Builder, cells []Cell) {
	for _, r := range reasonsOf(cells) {
		fmt.Fprintf(b, "  %s: %s: %s\n", r.Mark, r.Places(len(m.Scenarios)), report.Visible(r.Why))
		if r.Says != "" {
			fmt.Fprintf(b, "      it says: %s\n", report.Visible(r.Says))
		}
	}
}

// Sum says in one line what came of the run.
func (m *Matrix) Sum() string {
	marks := m.marks()
	return fmt.Sprintf("%d servers, %d left out; %d cells: %d passed, %d refused for a known reason, %d not applicable, %d bad",
		len(m.Targets)-m.absent(), m.absent(), len(m.Cells), marks["passed"], marks["refused"], marks["n/a"], len(m.Bad()))
}

// marks counts the cells by their words.
func (m *Matrix) marks() map[string]int {
	marks := map[string]int{}
	for _, c := range m.Cells {
		marks[c.mark()]++
	}
	return marks
}

// absent counts the servers that were left out.
func (m *Matrix) absent() (n int) {
	for _, t := range m.Targets {
		if t.Absent != "" {
			n++
		}
	}
	return n
}

// Save writes matrix.json and matrix.html into a folder, which is made if need be.
func (m *Matrix) Save(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	err := report.WriteFile(filepath.Join(folder, "matrix.json"), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
	if err != nil {
		return err
	}
	return report.WriteFile(filepath.Join(folder, "matrix.html"), m.WriteHTML)
}
