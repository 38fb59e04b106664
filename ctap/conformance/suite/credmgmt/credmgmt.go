// Package credmgmt holds the conformance cases about authenticatorCredentialManagement
// (section 6.8), its prototype of FIDO_2_1_PRE, and what getInfo tells the holders of
// the persistent token (section 6.4).
package credmgmt

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group credmgmt.
func Group() conformance.Group {
	return conformance.Group{Name: "credmgmt", Title: "authenticatorCredentialManagement", Cases: conformance.Join(
		metadata(), authorisation(), permissions(), parameters(), relyingParties(), credentials(), enumerations(),
		deletion(), updating(), readOnly(), identity(),
	)}
}

// variant is one of the two commands.
type variant struct {
	prefix  string // of the ids of its cases
	command ctap.Command
	rule    func(section string) conformance.Rule
	need    conformance.Need
}

// final and preview are the two commands.
func final() variant {
	return variant{"credmgmt.", ctap.CredentialManagement, conformance.Since21, conformance.Option("credMgmt")}
}

func preview() variant {
	return variant{"credmgmt.preview.", ctap.CredentialManagementPreview, conformance.Since20, conformance.Option("credentialMgmtPreview")}
}

// as makes a case of the variant. It begins with a PIN, may touch, and leaves the
// authenticator without the credentials that it made.
func (v variant) as(id, section, why string, run func(m *manager), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: v.prefix + id, Rule: v.rule(section), Why: why, Start: conformance.WithPIN,
		Needs: append([]conformance.Need{v.need}, needs...), Hands: conformance.Touch, Destructive: true,
		Run: func(r *conformance.Run) {
			m := &manager{Run: r, command: v.command}
			run(m)
			m.clean()
		},
	}
}

// both makes a case of each command.
func both(id, section, why string, run func(m *manager), needs ...conformance.Need) []conformance.Case {
	return conformance.One(final().as(id, section, why, run, needs...), preview().as(id, section, why, run, needs...))
}

// only makes a case of the final command.
func only(id, section, why string, run func(m *manager), needs ...conformance.Need) []conformance.Case {
	return conformance.One(final().as(id, section, why, run, needs...))
}

// needing gives cases a gesture more.
func needing(g conformance.Gesture, cases []conformance.Case) []conformance.Case {
	for i := range cases {
		cases[i].Hands |= g
	}
	return cases
}
