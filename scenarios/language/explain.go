package language

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"fido-emu/grammar"
)

// Explain writes what there is to know about one step or one part of a file.
func (g Grammar) Explain(w io.Writer, topic string) error {
	if u := g.verb(topic); u != nil {
		return u.explain(w)
	}
	switch topic {
	case "file":
		return explainMembers(w, "A scenario file holds:", Document(), "  ")
	case "profiles":
		return g.explainProfiles(w)
	case "reasons":
		_, err := fmt.Fprintf(w, "Known reasons of refusals (a relying party may have others):\n  %s\n", strings.Join(g.Reasons, "\n  "))
		return err
	}
	if topic == "covers" {
		return g.explainRows(w)
	}
	if topic == "labels" {
		return g.explainLabels(w)
	}
	if m := find(Document(), topic); m != nil {
		if _, err := fmt.Fprintf(w, "%s: %s\n", m.Name, m.Text); err != nil {
			return err
		}
		return explainMembers(w, "", m.Members, "  ")
	}
	topics := g.Topics()
	meant := ""
	if near := grammar.Nearest(topic, topics); near != "" {
		meant = fmt.Sprintf("; did you mean %q?", near)
	}
	return fmt.Errorf("nothing is called %q%s", topic, meant)
}

// Topics lists what [Grammar.Explain] knows.
func (g Grammar) Topics() []string {
	return slices.Concat(g.verbs(), []string{"file", "profiles", "reasons"}, memberNames(Document()))
}

// ExplainAll lists every step with its summary, by group.
func (g Grammar) ExplainAll(w io.Writer) error {
	group, wide := "", 0
	for _, verb := range g.verbs() {
		wide = max(wide, len(verb))
	}
	for _, u := range g.Verbs {
		if u.Group != group {
			group = u.Group
			if _, err := fmt.Fprintf(w, "\n%s\n", group); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "  %-*s  %s\n", wide, u.Verb, u.Summary); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nharness explain STEP tells all about one; harness explain file, profiles and\nreasons tell what else a scenario may hold.\n")
	return err
}

func (g Grammar) explainProfiles(w io.Writer) error {
	if _, err := fmt.Fprintln(w, "Device profiles:"); err != nil {
		return err
	}
	for _, p := range g.Profiles {
		if _, err := fmt.Fprintf(w, "  %-24s %s\n", p, g.About[p]); err != nil {
			return err
		}
	}
	return nil
}

func (g Grammar) explainRows(w io.Writer) error {
	m := find(Document(), "covers")
	if _, err := fmt.Fprintf(w, "%s: %s\n%s\n\n", m.Name, describe(*m), wrap(m.Text, 78)); err != nil {
		return err
	}
	for _, r := range g.Rows {
		if _, err := fmt.Fprintf(w, "  %-24s %s\n", r, g.AboutRow[r]); err != nil {
			return err
		}
	}
	return nil
}

func (g Grammar) explainLabels(w io.Writer) error {
	m := find(Document(), "labels")
	if _, err := fmt.Fprintf(w, "%s: %s\n%s\n\nThose of the built-in library:\n\n", m.Name, describe(*m), wrap(m.Text, 78)); err != nil {
		return err
	}
	for _, l := range g.Labels {
		if _, err := fmt.Fprintf(w, "  %-24s %s\n", l.Name, l.About); err != nil {
			return err
		}
	}
	return nil
}

func (u *Usage) explain(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", u.Verb, u.Summary)
	if u.Text != "" {
		fmt.Fprintf(&b, "\n%s\n", wrap(u.Text, 78))
	}
	fmt.Fprintf(&b, "\n  - %s: %s\n", u.Verb, describe(u.Subject))
	fmt.Fprintf(&b, "      %s\n", u.Subject.Text)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if err := explainMembers(w, "", u.All(), "    "); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nExample:\n  %s\n", strings.ReplaceAll(strings.TrimSpace(u.Example), "\n", "\n  "))
	return err
}

func explainMembers(w io.Writer, head string, table []Member, indent string) error {
	var b strings.Builder
	if head != "" {
		b.WriteString(head + "\n")
	}
	for _, m := range table {
		fmt.Fprintf(&b, "%s%s: %s\n%s    %s\n", indent, m.Name, describe(m), indent, m.Text)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	for _, m := range table {
		if len(m.Members) > 0 {
			if err := explainMembers(w, "\n"+indent+m.Name+" holds:", m.Members, indent+"  "); err != nil {
				return err
			}
		}
	}
	return nil
}

// describe says what may be written for a member.
func describe(m Member) string {
	s := string(m.Kind)
	switch m.Kind {
	case Word:
		s = strings.Join(m.Allowed, " | ")
	case SavedValue:
		s = "${saved " + string(m.Saved) + "}"
	case Anything:
		s = "person, device, account or ${saved value}"
	case Named:
		s = "names, each with members"
	case Values:
		s = "names, each with a list of values"
	}
	if m.List {
		s += ", or a list"
	}
	if m.Required {
		s += " (required)"
	}
	if m.Default != "" {
		s += " (otherwise " + m.Default + ")"
	}
	return s
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
