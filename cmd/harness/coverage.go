package main

import (
	"fmt"
	"strings"

	"fido-emu/scenarios/coverage"
)

// coverage prints the coverage table: under each heading the rows, each with how many
// scenarios show it, its rule, and their names.
func (u ui) coverage(table []coverage.Covered, asJSON bool) error {
	if asJSON {
		return u.printJSON(table)
	}
	wide := 0
	for _, row := range table {
		wide = max(wide, len(row.ID))
	}
	var b strings.Builder
	group, empty, notYet := "", 0, 0
	for _, row := range table {
		if row.Group != group {
			if group != "" {
				b.WriteByte('\n')
			}
			group = row.Group
			b.WriteString(group + "\n")
		}
		fmt.Fprintf(&b, "  %-*s %3d  %s\n", wide, row.ID, row.Scenarios, row.Rule)
		fmt.Fprintf(&b, "%*s%s\n", wide+8, "", shownBy(row))
		switch {
		case row.Empty():
			empty++
		case row.Scenarios == 0:
			notYet++
		}
	}
	fmt.Fprintf(&b, "\n%d rows: %d shown, %d not yet, %d empty\n", len(table), len(table)-empty-notYet, notYet, empty)
	return u.page(b.String())
}

// shownBy names the scenarios that show a row, or says why there are none.
func shownBy(row coverage.Covered) string {
	switch {
	case row.Empty():
		return "no scenario shows it"
	case row.Scenarios == 0:
		return "not yet covered: " + row.NotYet
	}
	return strings.Join(row.Files, ", ")
}
