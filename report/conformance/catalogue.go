package conformance

import (
	_ "embed"
	"fmt"
	"strings"

	"fido-emu/ctap/conformance"
)

// Section is a part of a document that the suite ought to have cases for.
type Section struct {
	Document conformance.Document `json:"document"`
	Number   string               `json:"section"`
	Title    string               `json:"title"`
}

//go:embed sections.txt
var sectionsText string

// Catalogue lists the sections of CTAP 2.3, of U2F and of the documents beside them
// that say what an authenticator on USB must do, in the order of the documents.
func Catalogue() []Section {
	all, err := parseSections(sectionsText)
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return all
}

// parseSections reads lines of document, section number and title between bars; empty
// lines and those that begin with # are left out.
func parseSections(text string) (all []Section, err error) {
	for n, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, "|")
		if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
			return nil, fmt.Errorf("sections, line %d: want document|section|title", n+1)
		}
		all = append(all, Section{conformance.Document(parts[0]), parts[1], parts[2]})
	}
	return all, nil
}
