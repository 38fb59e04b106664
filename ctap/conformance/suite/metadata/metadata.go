// Package metadata holds the conformance cases that compare an authenticator with the
// metadata statement of its model (FIDO Metadata Statement 3.1): what the statement says
// of itself, of getInfo, of attestation and of user verification, and what the
// authenticator does.
package metadata

import (
	"fido-emu/ctap/conformance"
)

// Group is the group metadata.
func Group() conformance.Group {
	return conformance.Group{Name: "metadata", Title: "Metadata statement", Cases: conformance.Join(
		form(), identity(), infoMembers(), algorithms(), attestation(), verification(), capabilities(),
	)}
}

// section has MetadataStatement in FIDO Metadata Statement 3.1.
const section = "4"

// says is a case about what the statement s says.
func says(id, why string, check func(r *conformance.Run, s *conformance.Statement), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "metadata." + id, Rule: conformance.OfMetadata(section), Why: why,
		Needs: append([]conformance.Need{conformance.HasStatement()}, needs...),
		Run:   func(r *conformance.Run) { check(r, r.Facts().Statement) },
	}
}

// fido2 is says of an authenticator of CTAP2.
func fido2(id, why string, check func(r *conformance.Run, s *conformance.Statement), needs ...conformance.Need) conformance.Case {
	return says(id, why, check, append([]conformance.Need{conformance.Speaks2()}, needs...)...)
}

// touching is for a case that makes a credential.
func touching(c conformance.Case) conformance.Case {
	c.Hands |= conformance.Touch
	c.Start = conformance.Usable
	return c
}

// onlyU2F needs an authenticator that speaks nothing but U2F.
func onlyU2F() conformance.Need {
	return conformance.Unless(conformance.Speaks2(), "it speaks CTAP2")
}
