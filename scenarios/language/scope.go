package language

import (
	"fmt"
	"slices"
	"strings"

	"fido-emu/grammar"
)

// scope is what names stand for at some place in a file.
type scope struct {
	people, devices, accounts, groups []string
	saved                             []savedName
	places                            map[string]grammar.Place // where each name was given
}

type savedName struct {
	name string
	kind Saved
}

func (s *scope) savedKind(name string) (Saved, bool) {
	for _, v := range s.saved {
		if v.name == name {
			return v.kind, true
		}
	}
	return SavedNothing, false
}

func (s *scope) savedNames(kind Saved) []string {
	var names []string
	for _, v := range s.saved {
		if kind == SavedNothing || v.kind == kind {
			names = append(names, "${"+v.name+"}")
		}
	}
	return names
}

// open fills the scope with the names that the head of a file gives.
func (c *checker) open(root Value) {
	c.scope = scope{places: map[string]grammar.Place{}}
	c.scope.people = c.declare("people", root.Field("people"))
	c.scope.accounts = c.declare("accounts", root.Field("accounts"))
	c.scope.devices = c.declare("devices", root.Field("devices"))
	if people := root.Field("people"); people != nil {
		for _, f := range people.Fields {
			c.scope.addGroups(f.Value.Field("groups"))
		}
	}
}

func (s *scope) addGroups(v *Value) {
	if v == nil {
		return
	}
	for _, g := range v.List() {
		if !slices.Contains(s.groups, g.Text) {
			s.groups = append(s.groups, g.Text)
		}
	}
}

func (c *checker) declare(what string, v *Value) []string {
	var names []string
	if v == nil {
		return nil
	}
	for _, f := range v.Fields {
		if c.claim(f.Name, f.At) {
			names = append(names, f.Name)
		}
	}
	return names
}

// claim gives a name its place; a name means one thing in a file.
func (c *checker) claim(name string, at grammar.Place) bool {
	if before, taken := c.scope.places[name]; taken {
		c.report(Problem{At: at, Found: fmt.Sprintf("the name %q is taken already, in line %d", grammar.Shorten(name), before.Line)})
		return false
	}
	c.scope.places[name] = at
	return true
}

// reference checks a value that names something: a saved value, or anything.
func (c *checker) reference(m Member, v Value) {
	name, isRef := refName(v.Text)
	if !isRef {
		if m.Kind == SavedValue {
			c.report(Problem{At: v.At, Found: fmt.Sprintf("%s: a saved %s is expected, %q found", m.Name, m.Saved, grammar.Shorten(v.Text)), Allowed: c.scope.savedNames(m.Saved), Hint: "save one in an earlier step and write ${name}"})
			return
		}
		all := slices.Concat(c.scope.people, c.scope.devices, c.scope.accounts, c.scope.savedNames(SavedNothing))
		c.oneOf("nothing is called", v, all)
		return
	}
	kind, known := c.scope.savedKind(name)
	switch {
	case !known:
		c.notSaved(name, v.At)
	case m.Kind == SavedValue && kind != m.Saved:
		c.report(Problem{At: v.At, Found: fmt.Sprintf("%s: a saved %s is expected, %s is a %s", m.Name, m.Saved, v.Text, kind), Allowed: c.scope.savedNames(m.Saved)})
	}
}

func (c *checker) notSaved(name string, at grammar.Place) {
	names := c.scope.savedNames(SavedNothing)
	c.report(Problem{At: at, Found: fmt.Sprintf("nothing was saved as %q before this", grammar.Shorten(name)), Nearest: grammar.Nearest("${"+name+"}", names), Allowed: names})
}

// references checks every ${…} in a text and returns it with a 0 in the place of
// each, so that its form can be checked too.
func (c *checker) references(v Value) string {
	text, err := expand(v.Text, func(ref string) (string, error) {
		name, member, _ := strings.Cut(ref, ".")
		kind, known := c.scope.savedKind(name)
		switch {
		case !known:
			c.notSaved(name, v.At)
		case member != "" && !slices.Contains(kind.members(), member):
			c.unknown("a "+string(kind)+" has no", member, v.At, kind.members())
		}
		return "0", nil
	})
	if err != nil {
		c.report(Problem{At: v.At, Found: err.Error()})
	}
	return text
}

// refName returns the name in a text that is ${name} and nothing else.
func refName(text string) (string, bool) {
	inner, ok := strings.CutPrefix(text, "${")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, "}")
	return inner, ok && !strings.ContainsAny(inner, "${}")
}

// expand puts what lookup says in the place of every ${…} of text.
func expand(text string, lookup func(ref string) (string, error)) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		ref, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf("%q: ${ without a } behind it", grammar.Shorten(text))
		}
		value, err := lookup(ref)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		text = after
	}
}
