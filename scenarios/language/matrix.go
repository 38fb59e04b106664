package language

import (
	"fmt"
	"strings"

	"fido-emu/grammar"
)

// maxVariants bounds how often one file may make a scenario run.
const maxVariants = 1000

// Setting is one value of the matrix, chosen for a variant.
type Setting struct {
	Name  string
	Value Value
}

// variants returns the combinations of the matrix, the last name turning fastest;
// without a matrix there is one, empty.
func variants(matrix *Value) [][]Setting {
	all := [][]Setting{nil}
	if matrix == nil {
		return all
	}
	for _, f := range matrix.Fields {
		var next [][]Setting
		for _, before := range all {
			for _, item := range f.Value.List() {
				next = append(next, append(before[:len(before):len(before)], Setting{f.Name, item}))
			}
		}
		all = next
	}
	return all
}

// count returns how many variants a matrix makes, at most maxVariants+1.
func count(matrix *Value) int {
	n := 1
	for _, f := range matrix.Fields {
		n = min(n*len(f.Value.List()), maxVariants+1)
	}
	return n
}

// substitute returns v with the settings put in for their ${name}. A value that
// is such a reference and nothing else takes the place of the setting, so that a
// problem with it is reported where it was written.
func substitute(v Value, settings []Setting) Value {
	switch v.Shape {
	case grammar.Scalar:
		for _, s := range settings {
			if v.Text == "${"+s.Name+"}" {
				return s.Value
			}
			v.Text = strings.ReplaceAll(v.Text, "${"+s.Name+"}", s.Value.Text)
		}
	case grammar.List:
		items := make([]Value, len(v.Items))
		for i, item := range v.Items {
			items[i] = substitute(item, settings)
		}
		v.Items = items
	case grammar.Mapping:
		fields := make([]Field, len(v.Fields))
		for i, f := range v.Fields {
			fields[i] = Field{Name: f.Name, At: f.At, Value: substitute(f.Value, settings)}
		}
		v.Fields = fields
	}
	return v
}

// checkMatrix reports what is wrong with the matrix itself.
func (c *checker) checkMatrix(v *Value) {
	if v.Shape != grammar.Mapping {
		c.report(Problem{At: v.At, Found: "matrix: names with lists of values are expected, " + string(v.Shape) + " found"})
		return
	}
	for _, f := range v.Fields {
		c.checkName(f.Name, f)
		for _, item := range f.Value.List() {
			if item.Shape != grammar.Scalar {
				c.report(Problem{At: item.At, Found: fmt.Sprintf("matrix %s: single values are expected, %s found", f.Name, item.Shape)})
			}
		}
		if len(f.Value.List()) == 0 {
			c.report(Problem{At: f.Value.At, Found: "matrix " + f.Name + " has no values"})
		}
	}
	if n := count(v); n > maxVariants {
		c.report(Problem{At: v.At, Found: fmt.Sprintf("the matrix makes more than %d combinations", maxVariants)})
	}
}
