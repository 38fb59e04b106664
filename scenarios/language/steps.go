package language

import (
	"fmt"
	"slices"
	"strings"

	"fido-emu/grammar"
)

// steps checks the list of steps, in order, so that each knows what those before
// it saved and made.
func (c *checker) steps(v Value) {
	if v.Shape != grammar.List || len(v.Items) == 0 {
		c.report(Problem{At: v.At, Found: fmt.Sprintf("steps: a list of steps is expected, %s found", v.Shape), Hint: "each step begins with - and its verb"})
		return
	}
	for _, item := range v.Items {
		c.step(item)
	}
}

func (c *checker) step(v Value) {
	if v.Shape != grammar.Mapping || len(v.Fields) == 0 {
		c.report(Problem{At: v.At, Found: fmt.Sprintf("a step is expected, %s found", v.Shape), Hint: "write its verb, a colon and what it acts on, as in - sign-in: ada"})
		return
	}
	first := v.Fields[0]
	usage := c.grammar.verb(first.Name)
	if usage == nil {
		c.noVerb(v)
		return
	}
	c.value(usage.Subject, first.Value)
	rest := v
	rest.At, rest.Fields = first.At, v.Fields[1:]
	c.members("step "+usage.Verb, rest, usage.All())
	c.outcome(rest)
	if usage.Claims {
		c.claims(usage, first.Value, rest)
	}
	c.define(usage, rest)
}

func (c *checker) noVerb(v Value) {
	first := v.Fields[0]
	for _, f := range v.Fields[1:] {
		if c.grammar.verb(f.Name) != nil {
			c.report(Problem{At: first.At, Found: fmt.Sprintf("a step begins with its verb, %q found", grammar.Shorten(first.Name)), Hint: fmt.Sprintf("put %q first", f.Name)})
			return
		}
	}
	c.report(Problem{At: first.At, Found: fmt.Sprintf("no step is called %q", grammar.Shorten(first.Name)), Nearest: grammar.Nearest(first.Name, c.grammar.verbs()), Allowed: c.grammar.verbs(), Hint: "harness explain tells what each does"})
}

// outcome checks that a reason stands behind a refusal only.
func (c *checker) outcome(v Value) {
	expect, reason := v.Field("expect"), v.Field("reason")
	if reason != nil && (expect == nil || expect.Text != Refused) {
		c.report(Problem{At: reason.At, Found: "a reason without expect: refused", Hint: "add expect: refused, or take the reason away"})
	}
	if save := v.Field("save"); save != nil && expect != nil && expect.Text == Refused {
		c.report(Problem{At: save.At, Found: "save: a refused step has nothing to save"})
	}
}

// define makes the names known that a step gives.
func (c *checker) define(usage *Usage, v Value) {
	if made := v.Field(usage.Makes); usage.Makes != "" && made != nil && c.claim(made.Text, made.At) {
		c.scope.devices = append(c.scope.devices, made.Text)
	}
	save := v.Field("save")
	if save == nil || usage.Saves == SavedNothing {
		return
	}
	if kind, again := c.scope.savedKind(save.Text); again && kind == usage.Saves {
		return // saved anew
	}
	if c.claim(save.Text, save.At) {
		c.scope.saved = append(c.scope.saved, savedName{save.Text, usage.Saves})
	}
}

// claims checks that what is claimed can be said of the subject at all.
func (c *checker) claims(usage *Usage, subject, v Value) {
	kind, saved, known := c.kindOf(subject.Text)
	if !known {
		return
	}
	for _, f := range v.Fields {
		m := usage.member(f.Name)
		if m == nil || len(m.Of)+len(m.OfSaved) == 0 || m.fits(kind, saved) {
			continue
		}
		what := string(kind)
		if kind == SavedValue {
			what = string(saved)
		}
		c.report(Problem{At: f.At, Found: fmt.Sprintf("%s cannot be said of a %s", f.Name, what), Allowed: usage.claimsOf(kind, saved)})
	}
}

func (m *Member) fits(kind Kind, saved Saved) bool {
	if kind == SavedValue {
		return slices.Contains(m.OfSaved, saved)
	}
	return slices.Contains(m.Of, kind)
}

func (u *Usage) claimsOf(kind Kind, saved Saved) []string {
	var names []string
	for _, m := range u.Members {
		if m.fits(kind, saved) {
			names = append(names, m.Name)
		}
	}
	return names
}

// kindOf tells what the subject of a claim is.
func (c *checker) kindOf(text string) (kind Kind, saved Saved, known bool) {
	if name, ok := refName(text); ok {
		saved, known = c.scope.savedKind(name)
		return SavedValue, saved, known
	}
	switch {
	case slices.Contains(c.scope.people, text):
		return PersonName, "", true
	case slices.Contains(c.scope.devices, text):
		return DeviceName, "", true
	case slices.Contains(c.scope.accounts, text):
		return AccountRef, "", true
	}
	return "", "", false
}

// KindOfSubject tells what the subject of a claim names in a scenario that was
// loaded: a person, a device, an account, or a saved value.
func (s *Scenario) KindOfSubject(text string) Kind {
	switch {
	case strings.HasPrefix(text, "${"):
		return SavedValue
	case slices.ContainsFunc(s.People, func(p Person) bool { return p.Name == text }):
		return PersonName
	case slices.ContainsFunc(s.Accounts, func(a Account) bool { return a.Name == text }):
		return AccountRef
	}
	return DeviceName
}
