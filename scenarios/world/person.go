package world

import (
	"fido-emu/identity/wallet"
	"fido-emu/report"
	"fido-emu/rp"
	"fido-emu/scenarios/language"
)

// Person is somebody who takes part.
type Person struct {
	Name string    // in the scenario
	RP   rp.Person // at the relying party
	Page rp.Page   // that is open in the person's browser

	identity   *language.Identity // who the person is outside of the scenario; nil for nobody in particular
	lastAnswer *wallet.Response   // what the person presented the last time

	Signals         rp.Signals // of the person's own sign-ins
	StrangerSignals rp.Signals // of those that somebody else makes in the person's name
	NewPassword     string     // the person's password, where it is not the one from the start

	overheard []byte         // what the browser sent at the last sign-in with a passkey
	cost      *report.SignIn // of the last sign-in; nil for none
}

func newPerson(p language.Person, home string) *Person {
	return &Person{
		Name: p.Name, Page: rp.Page{Origin: home}, identity: p.Identity,
		RP: rp.Person{Name: p.UserName, DisplayName: p.DisplayName, Groups: p.Groups},
	}
}
