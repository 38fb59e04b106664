package grammar

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Place is where something stands in a file; lines and columns count from 1.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column,omitempty"`
}

// String returns file:line:column, and leaves out what is not known.
func (p Place) String() string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Shape is what a value looks like.
type Shape string

// The shapes of YAML.
const (
	Empty   Shape = "nothing"
	Scalar  Shape = "a single value"
	List    Shape = "a list"
	Mapping Shape = "a mapping"
)

// Value is a piece of a file, with its place.
type Value struct {
	At     Place
	Shape  Shape
	Text   string  // of a scalar, as written
	Tag    string  // of a scalar: !!str, !!int, !!float or !!bool
	Items  []Value // of a list
	Fields []Field // of a mapping, in the order of the file
}

// Field is one member of a mapping.
type Field struct {
	Name  string
	At    Place // of the name
	Value Value
}

// Field returns the member called name, or nil.
func (v *Value) Field(name string) *Value {
	if v == nil {
		return nil
	}
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			return &v.Fields[i].Value
		}
	}
	return nil
}

// List returns the items of a list, nothing of nothing, and of anything else itself
// alone. It may be called on nil.
func (v *Value) List() []Value {
	switch {
	case v == nil || v.Shape == Empty:
		return nil
	case v.Shape == List:
		return v.Items
	}
	return []Value{*v}
}

// Word returns the text of a scalar, or fallback where there is none.
func (v *Value) Word(fallback string) string {
	if v == nil || v.Shape != Scalar {
		return fallback
	}
	return v.Text
}

// Words returns the texts of a list of scalars.
func (v *Value) Words() (words []string) {
	for _, item := range v.List() {
		words = append(words, item.Text)
	}
	return words
}

// Yes tells whether a scalar says yes or true.
func (v *Value) Yes() bool { return v != nil && (v.Text == "yes" || v.Text == "true") }

// JSON returns the value as encoding/json would read it: nil, bool, json.Number,
// string, []any or map[string]any. Text of scalars is passed through each, which may
// return anything in its place; nil leaves it as it is.
func (v *Value) JSON(each func(Value) (any, error)) (any, error) {
	switch v.Shape {
	case List:
		return v.jsonList(each)
	case Mapping:
		members := map[string]any{}
		for _, f := range v.Fields {
			m, err := f.Value.JSON(each)
			if err != nil {
				return nil, err
			}
			members[f.Name] = m
		}
		return members, nil
	case Scalar:
		if each != nil && v.Tag == "!!str" {
			return each(*v)
		}
		return v.scalar(), nil
	}
	return nil, nil
}

// Spread is what each of [Value.JSON] returns for an item that stands for several.
type Spread []any

func (v *Value) jsonList(each func(Value) (any, error)) (any, error) {
	items := []any{}
	for _, i := range v.Items {
		item, err := i.JSON(each)
		if err != nil {
			return nil, err
		}
		if several, ok := item.(Spread); ok {
			items = append(items, several...)
			continue
		}
		items = append(items, item)
	}
	return items, nil
}

func (v *Value) scalar() any {
	switch v.Tag {
	case "!!bool":
		if b, err := strconv.ParseBool(v.Text); err == nil {
			return b
		}
	case "!!int", "!!float":
		if json.Valid([]byte(v.Text)) {
			return json.Number(v.Text)
		}
	}
	return v.Text
}

// maxDepth is how deep a file may be nested.
const maxDepth = 40

// Parse reads one YAML document of at most 1 MiB. The error is [Problems].
func Parse(file string, source []byte) (Value, error) {
	at := Place{File: file, Line: 1, Column: 1}
	if len(source) > 1<<20 {
		return Value{}, Problems{{At: at, Found: "more than 1 MiB"}}
	}
	var root yaml.Node
	if err := yaml.Load(source, &root); err != nil {
		return Value{}, Problems{syntaxProblem(at, err)}
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		return Value{}, Problems{{At: at, Found: "no YAML document"}}
	}
	t := tree{file: file}
	v := t.value(root.Content[0], 0)
	if len(t.problems) > 0 {
		return Value{}, t.problems
	}
	return v, nil
}

func syntaxProblem(at Place, err error) Problem {
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
	if strings.HasSuffix(found, "no documents in stream") {
		return Problem{At: at, Found: "there is nothing in it"}
	}
	return Problem{At: at, Found: "not YAML: " + found}
}

// tree turns YAML nodes into values.
type tree struct {
	file     string
	problems Problems
}

func (t *tree) at(n *yaml.Node) Place { return Place{File: t.file, Line: n.Line, Column: n.Column} }

func (t *tree) complain(n *yaml.Node, found, hint string) {
	t.problems = append(t.problems, Problem{At: t.at(n), Found: found, Hint: hint})
}

func (t *tree) value(n *yaml.Node, depth int) Value {
	v := Value{At: t.at(n), Shape: Empty}
	if n.Anchor != "" || n.Kind == yaml.AliasNode {
		t.complain(n, "anchors and aliases (& and *) are not part of the language", "write the value out")
		return v
	}
	if depth > maxDepth {
		t.complain(n, "nested too deep", "")
		return v
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if n.ShortTag() != "!!null" {
			v.Shape, v.Text, v.Tag = Scalar, n.Value, n.ShortTag()
		}
	case yaml.SequenceNode:
		v.Shape = List
		for _, c := range n.Content {
			v.Items = append(v.Items, t.value(c, depth+1))
		}
	case yaml.MappingNode:
		v.Shape = Mapping
		t.fields(n, &v, depth)
	}
	return v
}

func (t *tree) fields(n *yaml.Node, v *Value, depth int) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode:
			t.complain(key, "a name is expected before the colon", "")
		case v.Field(key.Value) != nil:
			t.complain(key, fmt.Sprintf("%q is here twice", key.Value), "")
		default:
			v.Fields = append(v.Fields, Field{Name: key.Value, At: t.at(key), Value: t.value(n.Content[i+1], depth+1)})
		}
	}
}
