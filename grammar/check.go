package grammar

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says what a member holds.
type Kind int

// The kinds of members.
const (
	Text     Kind = iota // any scalar
	Word                 // one of Member.Allowed
	YesNo                // yes or no, true or false
	Number               // a whole number from 0 to a million
	Duration             // as time.ParseDuration reads it, such as 30s
	Pattern              // a regular expression (RE2)
	Any                  // anything; what it means is said where it is used
	Object               // a mapping of Member.Members
	Named                // names of the file's own choosing, each with a value as Member.Each says
	Variants             // a mapping that holds exactly one of the members marked Verb, and others
)

// Member is one line of a table: what a mapping may hold under a name.
type Member struct {
	Name     string
	Kind     Kind
	Text     string   // what it is for
	Required bool     //
	Verb     bool     // in Variants: what makes the mapping one of a kind
	Alone    bool     // in Variants: makes it one where no verb does
	List     bool     // several may be given, as a list
	Short    bool     // of an Object: a scalar may stand for it
	Bare     bool     // of an Object: nothing may stand for it, and means one without members
	Allowed  []string // of a Word
	Members  Table    // of an Object or Variants
	Each     *Member  // of a Named
}

// Table lists the members of a mapping. It is a function so that tables may refer to
// each other.
type Table func() []Member

// Check compares a mapping with its table; what names it for people. It returns
// everything that is wrong, in the order of the file.
func Check(what string, v Value, table Table) Problems {
	var c checker
	c.members(what, v, table())
	return c.problems.Sorted()
}

type checker struct{ problems Problems }

func (c *checker) report(at Place, format string, args ...any) {
	c.problems = append(c.problems, Problem{At: at, Found: fmt.Sprintf(format, args...)})
}

func (c *checker) members(what string, v Value, table []Member) {
	if v.Shape != Mapping {
		c.problems = append(c.problems, Problem{At: v.At, Found: fmt.Sprintf("%s: a mapping is expected, %s found", what, v.Shape), Allowed: names(table)})
		return
	}
	var meant []string // of members that are misspelt
	for _, f := range v.Fields {
		m := find(table, f.Name)
		if m == nil {
			nearest := Nearest(f.Name, names(table))
			meant = append(meant, nearest)
			c.problems = append(c.problems, Problem{At: f.At, Found: fmt.Sprintf("%s has no member %q", what, Shorten(f.Name)), Nearest: nearest, Allowed: names(table)})
			continue
		}
		c.member(*m, f.Value)
	}
	for _, m := range table {
		if m.Required && v.Field(m.Name) == nil && !slices.Contains(meant, m.Name) {
			c.report(v.At, "%s lacks %s (%s)", what, m.Name, strings.TrimSuffix(m.Text, "."))
		}
	}
}

func (c *checker) member(m Member, v Value) {
	if !m.List {
		c.one(m, v)
		return
	}
	for _, item := range v.List() {
		c.one(m, item)
	}
}

func (c *checker) one(m Member, v Value) {
	switch {
	case m.Kind == Any:
	case m.Kind == Object && (m.Short && v.Shape == Scalar || m.Bare && v.Shape == Empty):
	case m.Kind == Object:
		c.members(m.Name, v, m.Members())
	case m.Kind == Variants:
		c.variant(m, v)
	case m.Kind == Named:
		c.named(m, v)
	case v.Shape != Scalar:
		c.report(v.At, "%s: a single value is expected, %s found", m.Name, v.Shape)
	default:
		c.scalar(m, v)
	}
}

func (c *checker) variant(m Member, v Value) {
	table := m.Members()
	c.members(m.Name, v, table)
	var verbs, found []string
	alone := false
	for _, t := range table {
		alone = alone || t.Alone && v.Field(t.Name) != nil
		if t.Verb {
			verbs = append(verbs, t.Name)
			if v.Field(t.Name) != nil {
				found = append(found, t.Name)
			}
		}
	}
	switch {
	case v.Shape != Mapping || len(found) == 1 || len(found) == 0 && alone:
	case len(found) == 0 && slices.ContainsFunc(v.Fields, func(f Field) bool { return find(table, f.Name) == nil }):
		// the unknown member was probably meant to say it
	case len(found) == 0:
		c.problems = append(c.problems, Problem{At: v.At, Found: m.Name + ": one member must say what it does", Allowed: verbs})
	default:
		c.report(v.At, "%s: %s cannot stand together: make each a step of its own", m.Name, strings.Join(found, " and "))
	}
}

func (c *checker) named(m Member, v Value) {
	if v.Shape != Mapping {
		c.report(v.At, "%s: names with their values are expected, %s found", m.Name, v.Shape)
		return
	}
	for _, f := range v.Fields {
		each := *m.Each
		each.Name = m.Name + " " + f.Name
		c.member(each, f.Value)
	}
}

func (c *checker) scalar(m Member, v Value) {
	switch m.Kind {
	case Word:
		if !slices.Contains(m.Allowed, v.Text) {
			c.problems = append(c.problems, Problem{At: v.At, Found: fmt.Sprintf("%s: there is no %q", m.Name, Shorten(v.Text)), Nearest: Nearest(v.Text, m.Allowed), Allowed: m.Allowed})
		}
	case YesNo:
		if !slices.Contains([]string{"yes", "no", "true", "false"}, v.Text) {
			c.report(v.At, "%s: yes or no is expected, %q found", m.Name, Shorten(v.Text))
		}
	case Number:
		if n, err := strconv.Atoi(v.Text); err != nil || n < 0 || n > 1e6 {
			c.report(v.At, "%s: a whole number from 0 to 1000000 is expected, %q found", m.Name, Shorten(v.Text))
		}
	case Duration:
		if d, err := time.ParseDuration(v.Text); err != nil || d <= 0 || d > time.Hour {
			c.report(v.At, "%s: a time such as 500ms, 30s or 2m is expected, an hour at most, %q found", m.Name, Shorten(v.Text))
		}
	case Pattern:
		if _, err := regexp.Compile(v.Text); err != nil {
			c.report(v.At, "%s: %v", m.Name, err)
		}
	}
}

func find(table []Member, name string) *Member {
	for i := range table {
		if table[i].Name == name {
			return &table[i]
		}
	}
	return nil
}

func names(table []Member) (all []string) {
	for _, m := range table {
		all = append(all, m.Name)
	}
	return all
}

// Shorten keeps quotations of a file readable.
func Shorten(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:57]) + "…"
	}
	return text
}
