package world

import (
	"fido-emu/rp"
	"fido-emu/scenarios/language"
)

// Person is somebody who takes part.
type Person struct {
	Name string    // in the scenario
	RP   rp.Person // at the relying party
	Page rp.Page   // that is open in the person's browser
}

func newPerson(p language.Person, home string) *Person {
	return &Person{
		Name: p.Name, Page: rp.Page{Origin: home},
		RP: rp.Person{Name: p.UserName, DisplayName: p.DisplayName, Groups: p.Groups},
	}
}
