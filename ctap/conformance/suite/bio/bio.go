// Package bio holds the conformance cases about authenticatorBioEnrollment (section
// 6.7), its prototype of FIDO_2_1_PRE, and what fingers that are enrolled, or are no
// more, mean for built-in user verification.
package bio

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group bio.
func Group() conformance.Group {
	return conformance.Group{Name: "bio", Title: "authenticatorBioEnrollment", Cases: conformance.Join(
		information(), parameters(), authorisation(), enrolment(), interruptions(), listing(), renaming(), removal(), verification(),
	)}
}

// variant is one of the two commands.
type variant struct {
	prefix  string // of the ids of its cases
	command ctap.Command
	rule    func(section string) conformance.Rule
	option  string
}

func final() variant {
	return variant{"bio.", ctap.BioEnrollment, conformance.Since21, "bioEnroll"}
}

func preview() variant {
	return variant{"bio.preview.", ctap.BioEnrollmentPreview, conformance.Since20, "userVerificationMgmtPreview"}
}

// as makes a case of the variant that begins with a PIN, and a finger that is laid on
// when it is asked for.
func (v variant) as(id, section, why string, run func(e *enroller), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: v.prefix + id, Rule: v.rule(section), Why: why, Start: conformance.WithPIN,
		Needs: append([]conformance.Need{conformance.HasOption(v.option)}, needs...), Hands: conformance.Touch, Destructive: true,
		Run: func(r *conformance.Run) { run(&enroller{Run: r, variant: v}) },
	}
}

// both makes a case of each command.
func both(id, section, why string, run func(e *enroller), needs ...conformance.Need) []conformance.Case {
	return conformance.One(final().as(id, section, why, run, needs...), preview().as(id, section, why, run, needs...))
}

// only makes a case of the final command.
func only(id, section, why string, run func(e *enroller), needs ...conformance.Need) []conformance.Case {
	return conformance.One(final().as(id, section, why, run, needs...))
}

// with gives cases gestures.
func with(g conformance.Gesture, cases []conformance.Case) []conformance.Case {
	for i := range cases {
		cases[i].Hands |= g
	}
	return cases
}
