package language

import (
	"fmt"
	"strconv"
	"strings"

	"fido-emu/report"
)

// Problem is one thing that is wrong with a scenario file.
type Problem struct {
	At      report.Location `json:"at"`
	Found   string          `json:"found,omitempty"`   // what is wrong, naming what was found
	Nearest string          `json:"nearest,omitempty"` // the allowed word that was probably meant; empty when none is near
	Allowed []string        `json:"allowed,omitempty"` // what may stand there; empty when a list would not help
	Hint    string          `json:"hint,omitempty"`    // what to do, where that is not plain
}

// Error returns the problem in one line, beginning with file:line:column.
func (p Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", Place(p.At), p.Found)
	if p.Nearest != "" {
		fmt.Fprintf(&b, "; did you mean %q?", p.Nearest)
	}
	if len(p.Allowed) > 0 {
		fmt.Fprintf(&b, " (allowed: %s)", strings.Join(p.Allowed, ", "))
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "; %s", p.Hint)
	}
	return b.String()
}

// Place writes a location as file:line:column, leaving out what is not known.
func Place(at report.Location) string {
	s := at.File
	if at.Line > 0 {
		s += ":" + strconv.Itoa(at.Line)
		if at.Column > 0 {
			s += ":" + strconv.Itoa(at.Column)
		}
	}
	return s
}

// Problems is everything that is wrong with a file, in the order of its lines.
type Problems []Problem

// Error returns a line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}
