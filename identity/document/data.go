package document

import (
	"fmt"
	"slices"
	"strings"

	_ "embed" // lists

	"fido-emu/identity/person"
)

// Data is what a document says.
type Data struct {
	Kind        person.Kind `json:"kind"`
	Issuer      string      `json:"issuer"` // three letters, or D
	Number      string      `json:"number"`
	Family      string      `json:"family"` // as printed; as read from a zone, in its letters
	Given       string      `json:"given"`
	LatinFamily string      `json:"latinFamily,omitempty"` // the passport office's own transliteration
	LatinGiven  string      `json:"latinGiven,omitempty"`
	Native      string      `json:"native,omitempty"`
	Birth       person.Date `json:"birth"`
	Sex         string      `json:"sex"`
	Nationality string      `json:"nationality"`
	Issued      person.Date `json:"issued"`
	Expires     person.Date `json:"expires"`
}

func dataOf(p *person.Person, d person.Document) Data {
	return Data{
		Kind: d.Kind, Issuer: d.Issuer, Number: d.Number,
		Family: p.Family, Given: p.Given, LatinFamily: p.Latin.Family, LatinGiven: p.Latin.Given, Native: p.Native,
		Birth: p.Birth, Sex: p.Sex, Nationality: p.Nationality, Issued: d.Issued, Expires: d.Expires,
	}
}

//go:embed states.tsv
var stateList string

//go:embed stolen.txt
var stolenList string

// State is a state that issues documents.
type State struct {
	Code    string // ICAO Doc 9303-3, section 5: three letters, or D
	Country string // ISO 3166-1, two letters; ZZ of Utopia
	Name    string
}

// States returns the states whose keys are known, in the order of their codes.
func States() []State {
	var states []State
	for line := range strings.Lines(stateList) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
			states = append(states, State{f[0], f[1], f[2]})
		}
	}
	return states
}

// FindState returns the state with a code.
func FindState(code string) (State, bool) {
	states := States()
	i := slices.IndexFunc(states, func(s State) bool { return s.Code == code })
	if i < 0 {
		return State{}, false
	}
	return states[i], true
}

// Stolen tells whether a number is on the list of stolen and lost documents that comes
// with the project.
func Stolen(_, number string) bool {
	for line := range strings.Lines(stolenList) {
		if strings.TrimSpace(line) == number {
			return true
		}
	}
	return false
}

// stolenNumber is one that [Stolen] knows.
const stolenNumber = "S66600666"

// field is a printed field.
type field struct{ label, text string }

// fields returns what is printed, in order. Licences number their fields as Directive
// 2006/126/EC, annex I.
func (d Data) fields() []field {
	if d.Kind == person.DrivingLicence {
		return []field{
			{"1.", d.Family}, {"2.", d.Given}, {"3.", string(d.Birth)}, {"4a.", string(d.Issued)}, {"4b.", string(d.Expires)},
			{"4c.", d.stateName()}, {"5.", d.Number},
		}
	}
	return []field{
		{"Surname", d.Family}, {"Given names", d.Given}, {"Nationality", d.Nationality}, {"Date of birth", string(d.Birth)},
		{"Sex", d.Sex}, {"Number", d.Number}, {"Date of issue", string(d.Issued)}, {"Date of expiry", string(d.Expires)},
	}
}

func (d Data) stateName() string {
	if s, ok := FindState(d.Issuer); ok {
		return s.Name
	}
	return d.Issuer
}

func (d Data) title() string {
	name := map[person.Kind]string{person.Passport: "PASSPORT", person.IdentityCard: "IDENTITY CARD", person.DrivingLicence: "DRIVING LICENCE"}[d.Kind]
	return fmt.Sprintf("%s   %s", strings.ToUpper(d.stateName()), name)
}
