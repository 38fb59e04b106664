package language

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fido-emu/grammar"
)

// checker compares values with the tables and gathers what does not fit.
type checker struct {
	grammar  Grammar
	scope    scope
	problems Problems
}

// report notes a problem; one that several variants share is noted once.
func (c *checker) report(p Problem) {
	for _, known := range c.problems {
		if known.At == p.At && known.Found == p.Found {
			return
		}
	}
	c.problems = append(c.problems, p)
}

// members checks a mapping against its table. what names the mapping for people.
func (c *checker) members(what string, v Value, table []Member) {
	if v.Shape != grammar.Mapping {
		c.report(Problem{At: v.At, Found: fmt.Sprintf("%s: a mapping is expected, %s found", what, v.Shape), Allowed: memberNames(table)})
		return
	}
	var meant []string // of members that are misspelt
	for _, f := range v.Fields {
		m := find(table, f.Name)
		if m == nil {
			meant = append(meant, grammar.Nearest(f.Name, memberNames(table)))
			c.unknown(what+" has no member", f.Name, f.At, memberNames(table))
			continue
		}
		c.value(*m, f.Value)
	}
	for _, m := range table {
		if m.Required && v.Field(m.Name) == nil && !slices.Contains(meant, m.Name) {
			c.report(Problem{At: v.At, Found: fmt.Sprintf("%s lacks %s (%s)", what, m.Name, strings.TrimSuffix(m.Text, "."))})
		}
	}
}

// unknown reports a word that is not among those allowed.
func (c *checker) unknown(what, found string, at grammar.Place, allowed []string) {
	c.report(Problem{At: at, Found: fmt.Sprintf("%s %q", what, grammar.Shorten(found)), Nearest: grammar.Nearest(found, allowed), Allowed: allowed})
}

// value checks one member's value.
func (c *checker) value(m Member, v Value) {
	switch m.Kind {
	case Mapping:
		c.members(m.Name, v, m.Members)
	case Named:
		c.named(m, v)
	case Steps:
		c.steps(v)
	case Values: // checked once, before the variants
	default:
		c.scalars(m, v)
	}
}

func (c *checker) named(m Member, v Value) {
	if v.Shape != grammar.Mapping {
		c.report(Problem{At: v.At, Found: fmt.Sprintf("%s: names with their members are expected, %s found", m.Name, v.Shape)})
		return
	}
	for _, f := range v.Fields {
		if m.Name == "policies" {
			c.oneOf("nobody is in group", Value{At: f.At, Text: f.Name}, c.scope.groups)
		} else {
			c.checkName(f.Name, f)
		}
		if f.Value.Shape == grammar.Empty && !requires(m.Members) {
			continue
		}
		c.members(m.Name+" "+f.Name, f.Value, m.Members)
	}
}

func requires(table []Member) bool {
	return slices.ContainsFunc(table, func(m Member) bool { return m.Required })
}

func (c *checker) scalars(m Member, v Value) {
	if v.Shape == grammar.Empty {
		c.report(Problem{At: v.At, Found: fmt.Sprintf("%s: %s is expected, %s found", m.Name, article(m.Kind), v.Shape)})
		return
	}
	if v.Shape == grammar.List && !m.List {
		c.report(Problem{At: v.At, Found: m.Name + ": one value is expected, a list found"})
		return
	}
	for _, item := range v.List() {
		if item.Shape != grammar.Scalar {
			c.report(Problem{At: item.At, Found: fmt.Sprintf("%s: %s is expected, %s found", m.Name, article(m.Kind), item.Shape)})
			continue
		}
		c.scalar(m, item)
	}
}

// scalar checks a single value against its kind.
func (c *checker) scalar(m Member, v Value) {
	switch m.Kind {
	case Word:
		c.oneOf(m.Name+":", v, m.Allowed)
	case YesNo:
		c.oneOf(m.Name+":", v, []string{"yes", "no", "true", "false"})
	case PersonName:
		c.oneOf("nobody is called", v, c.scope.people)
	case DeviceName:
		c.oneOf("no device is called", v, c.scope.devices)
	case AccountRef:
		c.oneOf("no account is called", v, c.scope.accounts)
	case GroupName:
		c.oneOf("nobody is in group", v, c.scope.groups)
	case Profile:
		c.oneOf("no device profile is called", v, c.grammar.Profiles)
	case Provider:
		c.oneOf("no sync provider is called", v, c.grammar.Providers)
	case CoverRow:
		c.oneOf("the coverage table has no row", v, c.grammar.Rows)
	case Model:
		if !aaguid.MatchString(v.Text) {
			c.oneOf(m.Name+": neither an AAGUID nor a device profile:", v, c.grammar.Profiles)
		}
	case SavedValue, Anything:
		c.reference(m, v)
	default:
		c.form(m, v)
	}
}

var aaguid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$`)

func (c *checker) oneOf(what string, v Value, allowed []string) {
	if !slices.Contains(allowed, v.Text) {
		c.unknown(what, v.Text, v.At, allowed)
	}
}

// form checks values that have to look a certain way, with their references.
func (c *checker) form(m Member, v Value) {
	text := c.references(v)
	var err error
	switch m.Kind {
	case Number:
		_, err = parseNumber(text)
	case Duration:
		_, err = ParseDuration(text)
	case Count:
		_, err = ParseComparison(text)
	case Origin:
		err = checkOrigin(text)
	case Pattern:
		_, err = NewMatcher(text)
	case Reason:
		c.reason(v, text)
	case Label:
		if !labelForm.MatchString(text) {
			err = fmt.Errorf("%q: lower-case letters, digits and - . _ are expected", grammar.Shorten(text))
		}
	case NewName:
		c.checkName(text, Field{Name: text, At: v.At})
	}
	if err != nil {
		c.report(Problem{At: v.At, Found: m.Name + ": " + err.Error()})
	}
}

// reason checks the pattern, and that a name of a family whose members are known
// is one of them.
func (c *checker) reason(v Value, text string) {
	m, err := NewMatcher(text)
	if err != nil {
		c.report(Problem{At: v.At, Found: "reason: " + err.Error()})
		return
	}
	family := strings.HasPrefix(text, "CTAP") || strings.HasSuffix(text, "Error")
	if family && !m.MatchAny(c.grammar.Reasons...) {
		c.report(Problem{At: v.At, Found: fmt.Sprintf("reason: no CTAP status or DOMException is called %q", grammar.Shorten(text)), Nearest: grammar.Nearest(text, c.grammar.Reasons)})
	}
}

var (
	labelForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

func (c *checker) checkName(name string, f Field) {
	if !nameForm.MatchString(name) {
		c.report(Problem{At: f.At, Found: fmt.Sprintf("%q is no name: a lower-case letter, then lower-case letters, digits and - are expected", grammar.Shorten(name))})
	}
}

func article(k Kind) string {
	if k == Anything {
		return "a name"
	}
	return "a " + string(k)
}
