package person

import (
	"fmt"
	"slices"
	"strings"
)

// Person is a test person. The package comment shows the file.
type Person struct {
	ID          string            `yaml:"id"`          // lower case letters, digits and hyphens
	Given       string            `yaml:"given"`       // as documents print it; empty of one-word names
	Family      string            `yaml:"family"`      // as documents print it; of one-word names, that word
	Native      string            `yaml:"native"`      // in the script of the country; may be empty
	Latin       Latin             `yaml:"latin"`       // the passport's transliteration, where it is not ICAO's
	Birth       Date              `yaml:"birth"`       //
	Sex         string            `yaml:"sex"`         // F, M or X
	Nationality string            `yaml:"nationality"` // three letters, ICAO Doc 9303-3 section 5
	Country     string            `yaml:"country"`     // of residence, two letters, ISO 3166-1
	Face        string            `yaml:"face"`        // name from which the face is drawn; the id where it is left out
	Documents   []Document        `yaml:"documents"`   //
	Match       map[Condition]int `yaml:"match"`       // score 0-100 of this person against their own photo
	Resembles   map[string]int    `yaml:"resembles"`   // score 0-100 of this person against another face
	Liveness    Liveness          `yaml:"liveness"`    // Live where it is left out
}

// Latin is a name in Latin capitals, as a passport office spells it.
type Latin struct {
	Given  string `yaml:"given"`
	Family string `yaml:"family"`
}

// Document is what is written in a person's document. package document draws it.
type Document struct {
	Kind    Kind     `yaml:"kind"`
	Issuer  string   `yaml:"issuer"`  // issuing state, three letters (ICAO Doc 9303-3 section 5)
	Number  string   `yaml:"number"`  // up to nine letters and digits
	Issued  Date     `yaml:"issued"`  //
	Expires Date     `yaml:"expires"` // last day on which it is valid
	Defects []Defect `yaml:"defects"` // what is wrong with it
}

// Kind is a kind of document.
type Kind string

// The kinds of documents.
const (
	Passport       Kind = "passport"        // TD3, ICAO Doc 9303-4
	IdentityCard   Kind = "identity-card"   // TD1, ICAO Doc 9303-5
	DrivingLicence Kind = "driving-licence" // fields numbered as in Directive 2006/126/EC, annex I
)

// Kinds returns every kind of document.
func Kinds() []Kind { return []Kind{Passport, IdentityCard, DrivingLicence} }

// Date is a day, written 2006-01-02. Dates compare as strings do.
type Date string

// Six returns the date as machine-readable zones have it: YYMMDD.
func (d Date) Six() string {
	if len(d) != len("2006-01-02") {
		return "<<<<<<"
	}
	return string(d[2:4] + d[5:7] + d[8:10])
}

// Name returns the whole name as people write it: given, then family.
func (p *Person) Name() string { return strings.TrimSpace(p.Given + " " + p.Family) }

// Document returns the person's document of a kind. The error names those that there are.
func (p *Person) Document(kind Kind) (Document, error) {
	kinds := make([]string, len(p.Documents))
	for i, d := range p.Documents {
		if d.Kind == kind {
			return d, nil
		}
		kinds[i] = string(d.Kind)
	}
	return Document{}, fmt.Errorf("%s has no document of kind %q, only: %s", p.ID, kind, strings.Join(kinds, ", "))
}

// Stranger is the score of two faces of which no file says more.
const Stranger = 8

// unrehearsed is the score under a condition that the file leaves out.
const unrehearsed = 50

// Score returns how well this person, seen under a condition, matches the photo of a
// face: 0 to 100, as Face Check scales it.
func (p *Person) Score(face string, c Condition) int {
	if face == p.Face {
		if score, ok := p.Match[c]; ok {
			return score
		}
		return unrehearsed
	}
	if score, ok := p.Resembles[face]; ok {
		return score
	}
	return Stranger
}

// Find returns the person with an id. The error names everybody.
func Find(people []*Person, id string) (*Person, error) {
	i := slices.IndexFunc(people, func(p *Person) bool { return p.ID == id })
	if i >= 0 {
		return people[i], nil
	}
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	return nil, fmt.Errorf("there is no test person %q; there are: %s", id, strings.Join(ids, ", "))
}
