package browser

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"fido-emu/grammar"
	"fido-emu/rp/web"
)

// Description is a description of a site with a section browser that was found to be in
// order.
type Description struct {
	*web.Description
	shim, platform bool
	hosts          []string
	within         time.Duration
	refused        *place
	codes          []code
	sections       map[string]*section
}

// section is one thing that people do.
type section struct {
	name     string
	at       grammar.Place
	steps    []step
	values   []named // of a passkey, or of a session
	each     string
	warnings string
	record   []part
	yes, no  *place
}

type named struct{ name, text string }

// code is a short reason, with what the page's text holds then.
type code struct {
	name string
	text *regexp.Regexp
}

// part is where the page says something of a passkey.
type part struct {
	name, css, attribute string
	pattern              *regexp.Regexp
}

// place is where something is on a page.
type place struct {
	css, text string
	frames    []string
}

// step is one step on a page.
type step struct {
	at              grammar.Place
	verb            string
	where           *place
	text            string // of open and screenshot; what is filled in
	as, attribute   string
	fallback        *string // what is read where there is no such attribute; nil for an error
	when            string
	within          time.Duration
	url, title, has *regexp.Regexp // what is expected
	note            string
}

// Load reads a description with a section browser from a file. What is wrong with it is
// [grammar.Problems].
func Load(file string) (*Description, error) {
	d, err := web.Load(file, Foreign())
	if err != nil {
		return nil, err
	}
	return Of(d)
}

// LoadBytes reads a description with a section browser. file is its name as people know
// it.
func LoadBytes(file string, source []byte) (*Description, error) {
	d, err := web.LoadBytes(file, source, Foreign())
	if err != nil {
		return nil, err
	}
	return Of(d)
}

// Of reads the section browser of a description that was loaded with [Foreign].
func Of(d *web.Description) (*Description, error) {
	v := d.Section(Section)
	if v == nil {
		return nil, grammar.Problems{{At: grammar.Place{File: d.File, Line: 1, Column: 1}, Found: "the description has no section browser"}}
	}
	c := compiler{known: append(d.Variables(), "shim", "suggested")}
	b := &Description{
		Description: d, hosts: v.Field("hosts").Words(), refused: c.place(v.Field("refused")), sections: map[string]*section{},
		shim: v.Field("shim").Word("yes") == "yes" || v.Field("shim").Yes(), within: duration(v.Field("within"), 20*time.Second),
		platform: v.Field("platform-authenticator").Word("yes") == "yes" || v.Field("platform-authenticator").Yes(),
	}
	if codes := v.Field("refused").Field("codes"); codes != nil {
		for i := range codes.Fields {
			b.codes = append(b.codes, code{codes.Fields[i].Name, pattern(&codes.Fields[i].Value)})
		}
	}
	for _, f := range v.Fields {
		if slices.ContainsFunc(kinds(), func(k kind) bool { return k.name == f.Name }) {
			b.sections[f.Name] = c.section(f.Name, f.Value)
		}
	}
	if b.sections["register"] == nil && b.sections["sign-in"] == nil {
		c.wrong(v.At, "browser lacks register and sign-in: there is nothing to do")
	}
	if len(c.problems) > 0 {
		return nil, c.problems.Sorted()
	}
	return b, nil
}

// Does tells whether people can do something on the pages, such as sign-in, or whether
// the description says how to do it over HTTP.
func (d *Description) Does(section string) bool { return d.sections[section] != nil || d.Has(section) }

// code returns the short reason of a text by which a page says no.
func (d *Description) code(reason string) string {
	for _, c := range d.codes {
		if c.text != nil && c.text.MatchString(reason) {
			return c.name
		}
	}
	return "refused"
}

type compiler struct {
	problems grammar.Problems
	known    []string // variables
}

func (c *compiler) wrong(at grammar.Place, format string, args ...any) {
	c.problems = append(c.problems, grammar.Problem{At: at, Found: fmt.Sprintf(format, args...)})
}

// text checks the variables of a text.
func (c *compiler) text(v *grammar.Value) string {
	text := v.Word("")
	names, err := web.Names(text)
	if err != nil {
		c.wrong(v.At, "%v", err)
	}
	for _, n := range names {
		if !slices.Contains(c.known, n) {
			c.problems = append(c.problems, grammar.Problem{At: v.At, Found: fmt.Sprintf("nothing sets ${%s}", n), Nearest: grammar.Nearest(n, c.known)})
		}
	}
	return text
}

func (c *compiler) place(v *grammar.Value) *place {
	switch {
	case v == nil:
		return nil
	case v.Shape == grammar.Scalar:
		return &place{css: c.text(v)}
	}
	p := &place{css: c.text(v.Field("css")), text: c.text(v.Field("text")), frames: v.Field("frame").Words()}
	if p.css == "" && p.text == "" {
		c.wrong(v.At, "css or text must say where it is")
	}
	return p
}

func (c *compiler) section(name string, v grammar.Value) *section {
	s := &section{name: name, at: v.At, each: v.Field("each").Word(""), warnings: v.Field("warnings").Word(""), yes: c.place(v.Field("shows")), no: c.place(v.Field("else"))}
	for _, item := range v.Field("steps").List() {
		s.steps = append(s.steps, c.step(item))
	}
	for _, member := range []string{"credential", "session"} {
		if m := v.Field(member); m != nil {
			for i := range m.Fields {
				s.values = append(s.values, named{m.Fields[i].Name, c.text(&m.Fields[i].Value)})
			}
		}
	}
	if r := v.Field("record"); r != nil {
		for i := range r.Fields {
			s.record = append(s.record, c.part(r.Fields[i]))
		}
	}
	return s
}

func (c *compiler) part(f grammar.Field) part {
	if !slices.Contains(web.CredentialMembers(), f.Name) {
		c.problems = append(c.problems, grammar.Problem{At: f.At, Found: fmt.Sprintf("a passkey has no %q", f.Name), Nearest: grammar.Nearest(f.Name, web.CredentialMembers()), Allowed: web.CredentialMembers()})
	}
	v := &f.Value
	if v.Shape == grammar.Scalar {
		return part{name: f.Name, css: v.Text}
	}
	return part{name: f.Name, css: v.Field("css").Word(""), attribute: v.Field("attribute").Word(""), pattern: pattern(v.Field("pattern"))}
}

func (c *compiler) step(v grammar.Value) step {
	s := step{at: v.At, when: v.Field("when").Word(""), attribute: v.Field("attribute").Word(""), as: v.Field("as").Word(""), within: duration(v.Field("within"), 0), note: v.Field("note").Word("")}
	for _, m := range stepMembers() {
		if m.Verb && v.Field(m.Name) != nil {
			s.verb = m.Name
		}
	}
	said := v.Field(s.verb)
	c.condition(v.Field("when"))
	switch s.verb {
	case "open", "screenshot":
		s.text = c.text(said)
	case "expect":
		s.url, s.title, s.has = pattern(said.Field("url")), pattern(said.Field("title")), pattern(said.Field("text"))
	case "dialog":
		s.has = pattern(said)
	case "":
		return s // the grammar has said so
	default:
		s.where = c.place(said)
	}
	c.belongings(&s, v)
	return s
}

// condition checks what stands under when.
func (c *compiler) condition(v *grammar.Value) {
	if v == nil {
		return
	}
	c.text(v)
	if _, err := web.Holds(v.Text, func(string) any { return nil }); err != nil {
		c.wrong(v.At, "when: %v", err)
	}
}

// belongings looks at members that go with one verb only.
func (c *compiler) belongings(s *step, v grammar.Value) {
	for member, verb := range map[string]string{"with": "fill", "as": "read"} {
		switch f := v.Field(member); {
		case f == nil && s.verb == verb:
			c.wrong(v.At, "%s lacks %s", verb, member)
		case f != nil && s.verb == "dialog" && member == "with":
		case f != nil && s.verb != verb:
			c.wrong(f.At, "%s belongs to %s, and this step is %s", member, verb, s.verb)
		}
	}
	for _, member := range []string{"attribute", "default"} {
		if f := v.Field(member); f != nil && s.verb != "read" {
			c.wrong(f.At, "%s belongs to read, and this step is %s", member, s.verb)
		}
	}
	if f := v.Field("default"); f != nil {
		s.fallback = &f.Text
	}
	if v.Field("with") != nil {
		s.text = c.text(v.Field("with"))
	}
	if s.verb == "read" {
		c.known = append(c.known, s.as)
	}
}

func pattern(v *grammar.Value) *regexp.Regexp {
	if v == nil {
		return nil
	}
	re, err := regexp.Compile(v.Text)
	if err != nil {
		return nil // the grammar has refused it before
	}
	return re
}

func duration(v *grammar.Value, fallback time.Duration) time.Duration {
	if d, err := time.ParseDuration(v.Word("")); err == nil {
		return d
	}
	return fallback
}
