package web

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"fido-emu/grammar"
)

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
