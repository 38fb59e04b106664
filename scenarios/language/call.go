package language

import (
	"fmt"
	"strings"
	"time"

	"fido-emu/grammar"
)

// Call is one step of a scenario: a verb with what was written behind it.
type Call struct {
	Usage   *Usage
	At      grammar.Place
	Subject string
	Args    Value         // the members behind the verb
	Refused bool          // a refusal is expected
	Reason  Matcher       // of the refusal
	Save    string        // name to save the result under; empty for none
	Timeout time.Duration // 0 where the file says nothing

	expected string // as written: the reason
}

func (b builder) call(v Value) Call {
	first := v.Fields[0]
	args := Value{At: first.At, Shape: grammar.Mapping, Fields: v.Fields[1:]}
	c := Call{
		Usage: b.grammar.verb(first.Name), At: first.At, Subject: first.Value.Text, Args: args,
		Refused: args.Field("expect").Word(Success) == Refused, expected: args.Field("reason").Word(""),
		Save: args.Field("save").Word(""), Timeout: duration(args.Field("timeout")),
	}
	if first.Value.Shape == grammar.List {
		c.Subject = strings.Join((&Value{Fields: []Field{first}}).Field(first.Name).Words(), ", ")
	}
	if c.expected != "" {
		c.Reason, _ = NewMatcher(c.expected) // checked when the file was loaded
	}
	return c
}

// Resolve returns the call with what lookup says in the place of every ${…},
// those left out that name a saved value as a whole.
func (c Call) Resolve(lookup func(ref string) (string, error)) (Call, error) {
	fields := make([]Field, len(c.Args.Fields))
	for i, f := range c.Args.Fields {
		fields[i] = f
		m := c.Usage.member(f.Name)
		if f.Value.Shape != grammar.Scalar || m == nil || m.Kind == SavedValue {
			continue
		}
		text, err := expand(f.Value.Text, lookup)
		if err != nil {
			return c, fmt.Errorf("%s: %w", f.Name, err)
		}
		fields[i].Value.Text = text
	}
	c.Args.Fields = fields
	if k := c.Usage.Subject.Kind; k == SavedValue || k == Anything {
		return c, nil
	}
	var err error
	c.Subject, err = expand(c.Subject, lookup)
	return c, err
}

// Subjects returns what stands behind the verb, as a list.
func (c Call) Subjects() []string { return strings.Split(c.Subject, ", ") }

// Has tells whether a member was written.
func (c Call) Has(name string) bool { return c.Args.Field(name) != nil }

// Text returns a member's value, or "".
func (c Call) Text(name string) string { return c.Args.Field(name).Word("") }

// Texts returns the values of a member that may be a list.
func (c Call) Texts(name string) []string { return c.Args.Field(name).Words() }

// Yes returns a member that is yes or no; one left out is no.
func (c Call) Yes(name string) bool { return c.Args.Field(name).Yes() }

// Number returns a member that is a number, or otherwise.
func (c Call) Number(name string, otherwise int) int {
	if !c.Has(name) {
		return otherwise
	}
	n, _ := parseNumber(c.Text(name)) // checked when the file was loaded
	return n
}

// Duration returns a member that is a duration, or otherwise.
func (c Call) Duration(name string, otherwise time.Duration) time.Duration {
	if !c.Has(name) {
		return otherwise
	}
	return duration(c.Args.Field(name))
}

// Device returns the one device that the step is about, empty for none or several.
func (c Call) Device() string {
	var found []string
	if c.Usage.Subject.Kind == DeviceName {
		found = c.Subjects()
	} else if m := find(c.Usage.Members, "with"); m != nil && m.Kind == DeviceName {
		found = c.Texts("with")
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// Ref returns the name in ${name}; the text itself where it is none.
func Ref(text string) string {
	if name, ok := refName(text); ok {
		return name
	}
	return text
}

// Expected says in words how the step should end, when not in plain success.
func (c Call) Expected() string {
	switch {
	case !c.Refused:
		return ""
	case c.expected == "":
		return "refused"
	}
	return "refused: " + c.expected
}

// Sentence is the step in one line for people, its secrets masked.
func (c Call) Sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", strings.ReplaceAll(c.Usage.Verb, "-", " "), masked(c.Usage.Subject, c.Subject))
	sep := " "
	for _, f := range c.Args.Fields {
		m := find(c.Usage.Members, f.Name)
		if m == nil {
			continue
		}
		b.WriteString(sep + phrase(*m, f.Value))
		sep = ", "
	}
	return b.String()
}

// Mask stands where a secret would.
const Mask = "••••"

func masked(m Member, text string) string {
	if m.Kind == Secret {
		return Mask
	}
	return text
}

func phrase(m Member, v Value) string {
	words := strings.ReplaceAll(m.Name, "-", " ")
	var texts []string
	for _, item := range v.List() {
		texts = append(texts, masked(m, item.Text))
	}
	text := strings.Join(texts, ", ")
	if m.Kind == YesNo && (text == "yes" || text == "true") {
		return words
	}
	return words + " " + text
}
