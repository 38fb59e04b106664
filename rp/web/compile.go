package web

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"fido-emu/rp/web/grammar"
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

// belongs says which members go with which verb; those not listed go with all.
func belongs() map[string][]string {
	request, answer := []string{"request"}, []string{"request", ""}
	return map[string][]string{
		"headers": request, "query": request, "json": request, "form": request, "text": request, "follow": request,
		"expect": request, "refused": request, "keep": request, "repeat": request, "take": answer,
	}
}

func (c *compiler) step(v grammar.Value) step {
	s := step{
		at: v.At, label: v.Field("label").Word(""), jump: v.Field("goto").Word(""), when: c.condition(v.Field("when")),
		as: v.Field("as").Word(""), note: v.Field("note").Word(""),
	}
	for _, verb := range []string{"request", "create", "get", "mail", "set", "refuse", "unsupported"} {
		if v.Field(verb) != nil {
			s.verb = verb
		}
	}
	for _, f := range v.Fields {
		if verbs, bound := belongs()[f.Name]; bound && !slices.Contains(verbs, s.verb) {
			c.wrong(f.At, "%s belongs to a request, and this step is none", f.Name)
		}
	}
	switch s.verb {
	case "request":
		c.request(&s, v)
	case "create", "get":
		s.ceremony = c.ceremony(v.Field(s.verb))
	case "mail":
		s.mail = c.mail(v.Field("mail"))
	case "set":
		for _, f := range v.Field("set").Fields {
			c.gives(f.Name, f.At)
			s.set = append(s.set, assignment{f.Name, *c.body(&f.Value)})
		}
	case "refuse", "unsupported":
		s.reason = c.template(v.Field(s.verb))
	}
	return s
}

// gives notes that a variable is set.
func (c *compiler) gives(name string, at grammar.Place) {
	if !nameForm.MatchString(name) {
		c.wrong(at, "%q is no name of a variable: use letters, digits, - and _", name)
	}
	if slices.Contains(builtIn(), name) || strings.Contains(name, ".") {
		c.wrong(at, "%q cannot be set: it is a variable of the harness", name)
	}
	c.given = append(c.given, name)
}

var requestForm = regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE)\s+(?:([a-z][a-z0-9-]*):)?(/\S*|\$\{\S*)$`)

func (c *compiler) request(s *step, v grammar.Value) {
	line := v.Field("request")
	m := requestForm.FindStringSubmatch(line.Word(""))
	if m == nil {
		c.wrong(line.At, "request %q: a method and a path are expected, such as POST /login/begin or POST api:/login/begin", line.Word(""))
		return
	}
	if m[2] != "" && !slices.Contains(c.baseNames, m[2]) {
		c.fail(line.At, wordError{"there is no base", m[2], c.baseNames})
	}
	target := *line
	target.Text = m[3]
	s.call = &call{
		method: m[1], base: m[2], target: c.template(&target), headers: c.bindings(v.Field("headers")),
		json: c.body(v.Field("json")), form: c.bindings(v.Field("form")), text: c.optional(v.Field("text")), follow: v.Field("follow").Word("yes") == "yes" || v.Field("follow").Yes(),
	}
	if q := v.Field("query"); q != nil {
		for _, f := range q.Fields {
			b := bindings{name: f.Name}
			for _, item := range f.Value.List() {
				b.values = append(b.values, c.template(&item))
			}
			s.call.query = append(s.call.query, b)
		}
	}
	bodies := 0
	for _, name := range []string{"json", "form", "text"} {
		if v.Field(name) != nil {
			bodies++
		}
	}
	if bodies > 1 {
		c.wrong(v.At, "a request has one body: json, form or text")
	}
	s.expect = c.expectation(v.Field("expect"))
	s.refused = c.refusal(v.Field("refused"))
	s.take, s.keep = c.taken(v.Field("take")), c.taken(v.Field("keep"))
	s.repeat = c.repeat(v.Field("repeat"))
}

func (c *compiler) repeat(v *grammar.Value) *repeat {
	if v == nil {
		return nil
	}
	r := &repeat{times: number(v.Field("times"), 1), while: *c.condition(v.Field("while")), pause: duration(v.Field("pause"), time.Second)}
	if r.times < 1 || r.times > 50 {
		c.wrong(v.At, "repeat: times is from 1 to 50")
	}
	return r
}

func (c *compiler) ceremony(v *grammar.Value) *ceremony {
	x := &ceremony{
		unwrap: v.Field("unwrap").Words(), defaults: c.body(v.Field("defaults")), set: c.body(v.Field("set")),
		tolerant: v.Field("tolerant-base64").Yes(), save: v.Field("save").Word("response"),
	}
	if x.save != "response" {
		c.gives(x.save, v.At)
	}
	if o := v.Field("options"); o != nil {
		e := c.extraction(*o)
		x.options = &e
	}
	for _, m := range []*grammar.Value{v.Field("defaults"), v.Field("set")} {
		if m != nil && m.Shape != grammar.Mapping {
			c.wrong(m.At, "members of the options are expected, %s found", m.Shape)
		}
	}
	return x
}

func (c *compiler) mail(v *grammar.Value) *mail {
	m := &mail{to: c.template(v.Field("to")), pattern: c.pattern(v.Field("pattern")), save: v.Field("save").Word(""), within: duration(v.Field("within"), 10*time.Second)}
	c.gives(m.save, v.At)
	return m
}

func (c *compiler) expectation(v *grammar.Value) (e expectation) {
	if v == nil {
		return e
	}
	e.statuses, e.json, e.not, e.text = numbers(v.Field("status")), c.expected(v.Field("json")), c.expected(v.Field("not")), c.pattern(v.Field("text"))
	for _, item := range v.Field("that").List() {
		e.that = append(e.that, *c.condition(&item))
	}
	return e
}

func (c *compiler) refusal(v *grammar.Value) *refusal {
	if v == nil {
		return nil
	}
	r := &refusal{statuses: numbers(v.Field("status")), json: c.expected(v.Field("json")), text: c.pattern(v.Field("text"))}
	for name, into := range map[string]**extraction{"code": &r.code, "reason": &r.reason} {
		if x := v.Field(name); x != nil {
			e := c.extraction(*x)
			e.optional = true
			*into = &e
		}
	}
	return r
}

func numbers(v *grammar.Value) (all []int) {
	for _, item := range v.List() {
		all = append(all, number(&item, 0))
	}
	return all
}

// expected reads JSON pointers with what is there.
func (c *compiler) expected(v *grammar.Value) (all []member) {
	if v == nil {
		return nil
	}
	for i := range v.Fields {
		f := &v.Fields[i]
		if err := checkPointer(f.Name); err != nil {
			c.fail(f.At, err)
		}
		m := member{pointer: f.Name}
		if f.Value.Shape != grammar.Empty {
			m.want = c.body(&f.Value)
		}
		all = append(all, m)
	}
	return all
}

func (c *compiler) taken(v *grammar.Value) (all []taken) {
	if v == nil {
		return nil
	}
	for _, f := range v.Fields {
		c.gives(f.Name, f.At)
		all = append(all, taken{f.Name, c.extraction(f.Value)})
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
