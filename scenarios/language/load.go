package language

import (
	"fmt"

	"fido-emu/grammar"
)

// Load reads one scenario file and returns its variants: one, or as many as its
// matrix makes. file is its name as people know it. The error is [Problems], with
// everything that is wrong.
func Load(file string, source []byte, g Grammar) ([]*Scenario, error) {
	root, err := grammar.Parse(file, source)
	if err != nil {
		return nil, err
	}
	c := &checker{grammar: g}
	if root.Shape != grammar.Mapping {
		c.members("a scenario file", root, Document())
		return nil, c.problems.Sorted()
	}
	matrix := root.Field("matrix")
	if matrix != nil {
		c.checkMatrix(matrix)
		if len(c.problems) > 0 {
			return nil, c.problems.Sorted()
		}
	}
	var all []*Scenario
	for _, settings := range variants(matrix) {
		variant := substitute(root, settings)
		c.open(variant)
		c.members("a scenario file", variant, Document())
		if len(c.problems) == 0 {
			c.checkLimits(variant.Field("limits"))
		}
		if len(c.problems) == 0 {
			all = append(all, builder{g}.scenario(variant, settings))
		}
	}
	if len(c.problems) > 0 {
		return nil, c.problems.Sorted()
	}
	return all, nil
}

// Suffix tells variants of one file apart, as in "[device=yubikey-5]"; it is
// empty without a matrix.
func (s *Scenario) Suffix() string {
	if len(s.Matrix) == 0 {
		return ""
	}
	text := ""
	for i, choice := range s.Matrix {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf("%s=%s", choice.Name, choice.Value)
	}
	return "[" + text + "]"
}
