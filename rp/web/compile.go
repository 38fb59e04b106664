package web

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fido-emu/grammar"
)

// compiler makes typed values of a description whose words are in order, and gathers
// what is wrong beyond them.
type compiler struct {
	problems  grammar.Problems
	baseNames []string
	given     []string // variables that something sets
	used      []use
}

// use is where a variable is read.
type use struct {
	name string
	at   grammar.Place
}

func (c *compiler) wrong(at grammar.Place, format string, args ...any) {
	c.problems = append(c.problems, grammar.Problem{At: at, Found: fmt.Sprintf(format, args...)})
}

func (c *compiler) fail(at grammar.Place, err error) {
	if w, ok := errors.AsType[wordError](err); ok {
		c.problems = append(c.problems, grammar.Problem{At: at, Found: fmt.Sprintf("%s %q", w.what, w.found), Nearest: grammar.Nearest(w.found, w.allowed), Allowed: w.allowed})
		return
	}
	c.wrong(at, "%v", err)
}

func (c *compiler) template(v *grammar.Value) template {
	t, err := parseTemplate(v.Word(""))
	if err != nil {
		c.fail(v.At, err)
	}
	if v != nil {
		c.uses(t, v.At)
	}
	return t
}

func (c *compiler) uses(t template, at grammar.Place) {
	for _, p := range t.parts {
		if p.ref == nil {
			continue
		}
		c.used = append(c.used, use{p.ref.name, at})
		if err := checkPointer(p.ref.pointer); err != nil {
			c.fail(at, err)
		}
	}
}

func (c *compiler) optional(v *grammar.Value) *template {
	if v == nil || v.Shape == grammar.Empty {
		return nil
	}
	t := c.template(v)
	return &t
}

func (c *compiler) condition(v *grammar.Value) *condition {
	if v == nil {
		return nil
	}
	cond, err := parseCondition(v.Word(""))
	if err != nil {
		c.fail(v.At, err)
	}
	c.uses(cond.left, v.At)
	c.uses(cond.right, v.At)
	return &cond
}

func (c *compiler) bindings(v *grammar.Value) (all []binding) {
	if v == nil {
		return nil
	}
	for i := range v.Fields {
		all = append(all, binding{v.Fields[i].Name, c.template(&v.Fields[i].Value)})
	}
	return all
}

// body checks the templates within a value that is free in form.
func (c *compiler) body(v *grammar.Value) *grammar.Value {
	if v == nil {
		return nil
	}
	_, _ = v.JSON(func(s grammar.Value) (any, error) { // c keeps the problems
		c.template(&s)
		return nil, nil
	})
	return v
}

func (c *compiler) pattern(v *grammar.Value) *regexp.Regexp {
	if v == nil {
		return nil
	}
	re, err := regexp.Compile(v.Text)
	if err != nil {
		c.fail(v.At, err) // the grammar has looked at it before
	}
	return re
}

func (c *compiler) section(k sectionKind, v grammar.Value) *section {
	s := &section{
		kind: k, at: v.At, unproved: v.Field("unproved").Word(""), once: v.Field("once").Word("as-asked"),
		steps: c.steps(v.Field("steps")), proof: c.steps(v.Field("proof")),
	}
	if each := v.Field("each"); each != nil {
		s.each = c.template(each)
	}
	if pass := v.Field("pass"); pass != nil {
		s.pass = c.template(pass)
	}
	for _, name := range []string{"record", "credential", "session"} {
		s.record = append(s.record, c.bindings(v.Field(name))...)
	}
	if k.proof && len(s.proof) == 0 && s.unproved == "" {
		c.wrong(v.At, "%s lacks proof: give the steps of a follow-up call that shows its success, or say under unproved why there is none", k.name)
	}
	c.ceremonyOf(k.name, s)
	c.labels(s.steps)
	c.labels(s.proof)
	return s
}

// ceremonyOf finds sections whose steps lack the ceremony that makes them what they
// are.
func (c *compiler) ceremonyOf(name string, s *section) {
	want := map[string]string{"register": "create", "sign-in": "get"}[name]
	if want == "" {
		return
	}
	if !slices.ContainsFunc(s.steps, func(st step) bool { return st.verb == want || st.verb == "unsupported" }) {
		c.wrong(s.at, "%s lacks a step %s, in which the browser is asked for the passkey", name, want)
	}
}

func (c *compiler) labels(steps []step) {
	var known []string
	for _, s := range steps {
		if s.label != "" && slices.Contains(known, s.label) {
			c.wrong(s.at, "label %q is here twice", s.label)
		}
		known = append(known, s.label)
	}
	known = slices.DeleteFunc(known, func(l string) bool { return l == "" })
	for _, s := range steps {
		if s.jump != "" && !slices.Contains(known, s.jump) {
			c.fail(s.at, wordError{"goto: there is no label", s.jump, known})
		}
	}
}

func (c *compiler) steps(v *grammar.Value) (all []step) {
	for _, item := range v.List() {
		all = append(all, c.step(item))
	}
	return all
}

// finish looks at what only the whole tells: which variables are there.
func (c *compiler) finish(d *Description, root grammar.Value, foreign []Foreign) {
	known := append(builtIn(), c.given...)
	for _, s := range d.settings {
		if slices.Contains(builtIn(), s.name) || !nameForm.MatchString(s.name) {
			c.wrong(root.Field("settings").At, "%q cannot be a setting: it is no name, or one of the harness's", s.name)
		}
		known = append(known, s.name)
	}
	d.variables = known
	for _, u := range c.used {
		if !slices.Contains(known, u.name) {
			near := slices.DeleteFunc(slices.Clone(known), func(n string) bool { return strings.HasPrefix(n, "person.") && !strings.HasPrefix(u.name, "p") })
			c.problems = append(c.problems, grammar.Problem{At: u.at, Found: fmt.Sprintf("nothing sets ${%s}", u.name), Nearest: grammar.Nearest(u.name, near)})
		}
	}
	if len(d.bases) == 0 {
		c.wrong(root.Field("bases").At, "bases: at least one address is expected")
	}
	if d.sections["register"] == nil && d.sections["sign-in"] == nil && !hasForeign(root, foreign) {
		c.wrong(root.At, "a description lacks register and sign-in: there is nothing to do")
	}
}

func hasForeign(root grammar.Value, foreign []Foreign) bool {
	return slices.ContainsFunc(foreign, func(f Foreign) bool { return root.Field(f.Member.Name) != nil })
}

// builtIn lists the variables that the harness sets.
func builtIn() []string {
	return []string{
		"origin", "rp-id", "now", "run", "person", "person.name", "person.display-name", "person.groups", "signed-in",
		"status", "body", "url", "response", "credential", "id", "ids", "name", "pass", "once", "lifetime.minutes", "lifetime.seconds",
		"group", "policy", "item",
	}
}
