package mutation

import (
	"strings"

	"fido-emu/ctap/conformance"
)

// place is a section of a document, as a catalogue of mutants writes it: "6.1.2 step
// 14" of CTAP 2.3, or "U2F Raw Message Formats 5.1", "WebAuthn 6.1".
type place struct {
	document conformance.Document
	section  string // the numbers alone
}

// placeOf reads a place; the step within a section is left out, for a rule of a case
// names sections.
func placeOf(text string) place {
	p := place{document: conformance.CTAP}
	for _, d := range []conformance.Document{conformance.U2F, conformance.WebAuthn, conformance.Metadata} {
		if rest, ok := strings.CutPrefix(text, string(d)+" "); ok {
			p.document, text = d, rest
		}
	}
	p.section, _, _ = strings.Cut(text, " ")
	return p
}

// holds tells whether a rule stands in the place, or in a section of it.
func (p place) holds(r conformance.Rule) bool {
	return r.Document == p.document && (r.Section == p.section || strings.HasPrefix(r.Section, p.section+"."))
}

func (p place) String() string { return string(p.document) + " " + p.section }
