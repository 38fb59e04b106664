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

// placeOf reads a place. The step within a section is left out: a case that
// names the section names it.
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

// holds tells whether a rule stands in the place, at whichever step, or in a section
// within it.
func (p place) holds(r conformance.Rule) bool {
	section, _, _ := strings.Cut(r.Section, " ")
	return r.Document == p.document && (section == p.section || strings.HasPrefix(section, p.section+"."))
}

// String returns document and section, as quirks name them.
func (p place) String() string { return string(p.document) + " " + p.section }
