package main

import (
	"fmt"
	"strings"

	"fido-emu/scenarios/coverage"
)

// coverageWidth is where lines of the coverage table end, in characters.
const coverageWidth = 110

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
		indent := wide + 8
		fmt.Fprintf(&b, "  %-*s %3d  %s\n", wide, row.ID, row.Scenarios, folded(strings.Fields(row.Rule), " ", indent))
		fmt.Fprintf(&b, "%*s%s\n", indent, "", shownBy(row, indent))
		switch {
		case row.Empty():
			empty++
		case row.Scenarios == 0:
			notYet++
		}
	}
	fmt.Fprintf(&b, "\n%d rows: %d shown, %d not yet, %d empty\n", len(table), len(table)-empty-notYet, notYet, empty)
	_, err := u.out.Write([]byte(b.String()))
	return err
}

// shownBy names the scenarios that show a row, or says why there are none.
func shownBy(row coverage.Covered, indent int) string {
	switch {
	case row.Empty():
		return "no scenario shows it"
	case row.Scenarios == 0:
		return "not yet covered: " + row.NotYet
	}
	return folded(row.Files, ", ", indent)
}

// folded joins words into lines that begin at indent and end at coverageWidth.
func folded(words []string, between string, indent int) string {
	var b strings.Builder
	column := indent
	for i, word := range words {
		switch {
		case i == 0:
		case column+len(between)+len(word) > coverageWidth:
			b.WriteString(strings.TrimRight(between, " ") + "\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteString(between)
			column += len(between)
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
