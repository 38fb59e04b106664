package coverage

import (
	"slices"
	"strings"

	"fido-emu/scenarios/language"
)

// Covered is a row with the scenarios that show it.
type Covered struct {
	Row
	Files     []string `json:"files"`     // ids of scenarios, without their variants, in their order
	Scenarios int      `json:"scenarios"` // with their variants
}

// Empty tells whether the row has no scenario and does not say why.
func (c Covered) Empty() bool { return c.Scenarios == 0 && c.NotYet == "" }

// Of returns the table with the scenarios of each row.
func Of(all []*language.Scenario) []Covered {
	var table []Covered
	for _, row := range Rows() {
		c := Covered{Row: row, Files: []string{}}
		for _, s := range all {
			if !slices.Contains(s.Covers, row.ID) {
				continue
			}
			c.Scenarios++
			if id := strings.TrimSuffix(s.ID, s.Suffix()); !slices.Contains(c.Files, id) {
				c.Files = append(c.Files, id)
			}
		}
		table = append(table, c)
	}
	return table
}
