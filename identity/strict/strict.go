// Package strict reads a page of YAML into a struct and says where a mistake stands:
// file:line:column, and the member's path.
package strict

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// File is a page that was read, for what is wrong with it besides its form.
type File struct {
	name string
	root yaml.Node
	errs []error
}

// Load reads b into v, a pointer to a struct. Members that v has not are an error. name
// is that of the file, for errors.
func Load(name string, b []byte, v any) (*File, error) {
	f := &File{name: name}
	if err := yaml.Load(b, &f.root); err != nil {
		return nil, syntax(name, err)
	}
	if err := yaml.Load(b, v, yaml.WithKnownFields()); err != nil {
		return nil, syntax(name, err)
	}
	return f, nil
}

// Want notes what is written at a path of the file where ok does not hold. A path is
// names of members and indexes of lists, joined by full stops; what is not there is noted
// where it would be.
func (f *File) Want(ok bool, path, format string, args ...any) {
	if ok {
		return
	}
	n := find(&f.root, strings.Split(path, "."))
	f.errs = append(f.errs, fmt.Errorf("%s:%d:%d: %s: %s", f.name, max(n.Line, 1), max(n.Column, 1), path, fmt.Sprintf(format, args...)))
}

// Err returns all that was noted, or nil.
func (f *File) Err() error { return errors.Join(f.errs...) }

// syntax gives an error of the YAML library the file and its place.
func syntax(file string, err error) error {
	mark, message := yaml.Mark{Line: 1, Column: 1}, err.Error()
	if many, ok := errors.AsType[*yaml.LoadErrors](err); ok && len(many.Errors) > 0 {
		mark, message = many.Errors[0].Mark, many.Errors[0].Message
	} else if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		mark, message = one.Mark, one.Message
	}
	return fmt.Errorf("%s:%d:%d: %s", file, max(mark.Line, 1), max(mark.Column, 1), message)
}

// find walks to the deepest node of a path that there is.
func find(n *yaml.Node, path []string) *yaml.Node {
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		return find(n.Content[0], path)
	}
	if len(path) == 0 {
		return n
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == path[0] {
				return find(n.Content[i+1], path[1:])
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(path[0]); err == nil && i >= 0 && i < len(n.Content) {
			return find(n.Content[i], path[1:])
		}
	}
	return n
}
