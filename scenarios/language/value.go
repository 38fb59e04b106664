package language

import (
	"errors"

	"go.yaml.in/yaml/v4"

	"fido-emu/report"
)

// Value is a piece of a scenario file, with its place.
type Value struct {
	At     report.Location
	Shape  Shape
	Text   string  // of a scalar, as written
	Quoted bool    // the scalar stood in quotation marks
	Items  []Value // of a list
	Fields []Field // of a mapping, in the order of the file
}

// Field is one member of a mapping.
type Field struct {
	Name  string
	At    report.Location // of the name
	Value Value
}

// Shape is what a value looks like.
type Shape string

// The shapes of YAML.
const (
	Empty   Shape = "nothing"
	Scalar  Shape = "a single value"
	List    Shape = "a list"
	Members Shape = "a mapping"
)

// Field returns the member called name, or nil.
func (v *Value) Field(name string) *Value {
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			return &v.Fields[i].Value
		}
	}
	return nil
}

// List returns the items of a list, and of anything else itself alone.
func (v *Value) List() []Value {
	if v.Shape == List {
		return v.Items
	}
	return []Value{*v}
}

// parse reads one YAML document.
func parse(file string, source []byte) (Value, Problems) {
	var root yaml.Node
	if err := yaml.Load(source, &root); err != nil {
		return Value{}, Problems{syntaxProblem(file, err)}
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		return Value{}, Problems{{At: report.Location{File: file, Line: 1, Column: 1}, Found: "no YAML document"}}
	}
	t := tree{file: file}
	return t.value(root.Content[0]), t.problems
}

func syntaxProblem(file string, err error) Problem {
	at := report.Location{File: file, Line: 1, Column: 1}
	found := err.Error()
	if many, ok := errors.AsType[*yaml.LoadErrors](err); ok && len(many.Errors) > 0 {
		found = many.Errors[0].Message
	}
	if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		found = one.Message
		if one.Mark.Line > 0 {
			at.Line, at.Column = one.Mark.Line, max(one.Mark.Column, 1)
		}
	}
	return Problem{At: at, Found: "not YAML: " + found}
}

// tree turns YAML nodes into values.
type tree struct {
	file     string
	problems Problems
}

func (t *tree) at(n *yaml.Node) report.Location {
	return report.Location{File: t.file, Line: n.Line, Column: n.Column}
}

func (t *tree) value(n *yaml.Node) Value {
	v := Value{At: t.at(n), Shape: Empty}
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		t.problems = append(t.problems, Problem{At: v.At, Found: "anchors and aliases (& and *) are not part of the language", Hint: "write the value out, or use the matrix"})
		return v
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if n.ShortTag() != "!!null" {
			v.Shape, v.Text, v.Quoted = Scalar, n.Value, n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
		}
	case yaml.SequenceNode:
		v.Shape = List
		for _, c := range n.Content {
			v.Items = append(v.Items, t.value(c))
		}
	case yaml.MappingNode:
		v.Shape = Members
		t.fields(n, &v)
	}
	return v
}

func (t *tree) fields(n *yaml.Node, v *Value) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode:
			t.problems = append(t.problems, Problem{At: t.at(key), Found: "a name is expected before the colon"})
		case v.Field(key.Value) != nil:
			t.problems = append(t.problems, Problem{At: t.at(key), Found: "\"" + key.Value + "\" is here twice"})
		default:
			v.Fields = append(v.Fields, Field{Name: key.Value, At: t.at(key), Value: t.value(n.Content[i+1])})
		}
	}
}
