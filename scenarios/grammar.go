package scenarios

import (
	"fido-emu/fixtures"
	"fido-emu/keychain"
	"fido-emu/scenarios/coverage"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/steps"
	"fido-emu/scenarios/world"
)

// Grammar returns the scenario language: the words of every step, and the names
// of models, providers and reasons that there are.
func Grammar() (language.Grammar, error) {
	profiles, err := fixtures.Profiles()
	if err != nil {
		return language.Grammar{}, err
	}
	g := language.Grammar{Verbs: steps.Usages(steps.All()), Reasons: world.KnownReasons(), About: map[string]string{}, AboutRow: map[string]string{}}
	for _, p := range profiles {
		g.Profiles = append(g.Profiles, p.Name)
		g.About[p.Name] = p.Title + ". " + p.Purpose
	}
	for _, p := range keychain.Providers() {
		g.Providers = append(g.Providers, p.Name)
	}
	for _, r := range coverage.Rows() {
		g.Rows = append(g.Rows, r.ID)
		g.AboutRow[r.ID] = r.Rule
	}
	for _, l := range coverage.Labels() {
		g.Labels = append(g.Labels, language.Term{Name: l.Name, About: l.About})
	}
	return g, nil
}
