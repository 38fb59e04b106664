package interop

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"fido-emu/scenarios"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

//go:embed scenarios/*.yaml
var files embed.FS

// pin is the PIN of all devices that take one.
const pin = "271828"

// Scenarios returns what is done at every server, once for each profile.
func Scenarios() ([]*language.Scenario, error) {
	names, err := fs.Glob(files, "scenarios/*.yaml")
	if err != nil {
		return nil, err
	}
	var sources []scenarios.Source
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, scenarios.Source{File: "interop/" + name, ID: idOf(name), Text: text})
	}
	grammar, err := scenarios.Grammar()
	if err != nil {
		return nil, err
	}
	all, err := scenarios.Load(sources, grammar)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if err := suit(s); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// idOf returns the id of a scenario, without the number that orders the files.
func idOf(name string) string {
	_, id, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".yaml"), "-")
	return id
}

// suit sets a PIN on the devices that take one, and leaves out those that speak no
// CTAP2. Scenarios cannot say so, because their matrix has models of either kind.
func suit(s *language.Scenario) error {
	for i := range s.Devices {
		model, err := world.Model(s.Devices[i].Profile)
		if err != nil {
			return err
		}
		if model.ClientPIN {
			s.Devices[i].PIN = pin
		}
		if len(model.Versions) == 0 {
			s.Skip = "this key knows U2F only, and the client of package webauthn speaks CTAP2"
		}
	}
	return nil
}
