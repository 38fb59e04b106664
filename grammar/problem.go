package grammar

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	At      Place    `json:"at"`
	Found   string   `json:"found,omitempty"`   // what is wrong, naming what was found
	Nearest string   `json:"nearest,omitempty"` // the allowed word that was probably meant; empty when none is near
	Allowed []string `json:"allowed,omitempty"` // what may stand there; empty when a list would not help
	Hint    string   `json:"hint,omitempty"`    // what to do, where that is not plain
}

// Error returns the problem in one line, beginning with file:line:column.
func (p Problem) Error() string {
	return p.At.String() + ": " + p.Bare()
}

// Bare returns the problem without its place.
func (p Problem) Bare() string {
	var b strings.Builder
	b.WriteString(p.Found)
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

// Sorted returns the problems in the order of the file.
func (ps Problems) Sorted() Problems {
	sort.SliceStable(ps, func(i, j int) bool {
		a, b := ps[i].At, ps[j].At
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return ps
}
