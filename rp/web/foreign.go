package web

import (
	"slices"
	"strings"

	"fido-emu/rp"
)

// What packages with sections of their own need of this one.

// Variables lists what templates may name: all that the harness, the settings and the
// sections of this package set.
func (d *Description) Variables() []string { return slices.Clone(d.variables) }

// Setting returns the value of a setting, nil where there is none of that name.
func (p *Party) Setting(name string) any { return p.setting(name) }

// Base returns the address of a base without a slash at its end, the first for "", and
// whether there is one of that name.
func (p *Party) Base(name string) (string, bool) {
	for _, b := range p.bases {
		if name == "" || b.name == name {
			return strings.TrimRight(b.url.String(), "/"), true
		}
	}
	return "", false
}

// Text returns text with ${name} and its like replaced by what lookup finds, each sent
// through escape.
func Text(text string, lookup func(name string) any, escape func(string) string) (string, error) {
	t, err := parseTemplate(text)
	if err != nil {
		return "", err
	}
	return t.escaped(lookup, escape)
}

// Names lists the variables that a text names.
func Names(text string) (names []string, err error) {
	t, err := parseTemplate(text)
	for _, p := range t.parts {
		if p.ref != nil {
			names = append(names, p.ref.name)
		}
	}
	return names, err
}

// Holds tells whether a condition as in when does; what is wrong with it is an error.
func Holds(condition string, lookup func(name string) any) (bool, error) {
	c, err := parseCondition(condition)
	if err != nil {
		return false, err
	}
	return c.holds(lookup)
}

// Registered reads what a RegistrationResponseJSON tells of a new passkey.
func Registered(response []byte) (rp.Credential, error) { return registered(response) }

// Assign sets the member of a record, such as sign-count, from its text.
func Assign(c *rp.Credential, member, text string) error { return assign(c, member, text) }

// CredentialMembers lists the members of a passkey's record.
func CredentialMembers() (names []string) {
	for _, m := range credentialMembers() {
		names = append(names, m.Name)
	}
	return names
}
