package main

import (
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fido-emu/ctap/conformance/suite"
	"fido-emu/fixtures"
	"fido-emu/fixtures/reach"
	"fido-emu/fixtures/slots"
	"fido-emu/identity/person"
	"fido-emu/keychain"
	"fido-emu/scenarios"
	"fido-emu/scenarios/coverage"
	"fido-emu/scenarios/language"
)

// words are what a shell may complete, a text behind a tab each; files says whether a file
// may stand there as well.
type words struct {
	of    func() []string
	files bool
}

// completions are the words of arguments and flags, by command and flag ("" for arguments).
func completions() map[string]map[string]words {
	selection := map[string]words{"": {inLibrary, true}, "covers": {rows, false}, "filter": {labels, false}}
	return map[string]map[string]words{
		"run":  {"": selection[""], "covers": selection["covers"], "filter": selection["filter"], "via": {reach.Ways, false}},
		"list": selection, "explain": {"": {topics, false}},
		"conform":            {"profile": {profiles, false}, "group": {groups, false}, "quirk": {quirks, false}},
		"keychain providers": {"": {providers, true}}, "keychain serve": {"provider": {providers, true}},
		"identity document": {"": {people, false}, "defect": {defects, false}, "kind": {kinds, false}},
	}
}

// complete has shells complete what only this program knows.
func complete(root *cobra.Command) error {
	for name, flags := range completions() {
		c, _, err := root.Find(strings.Fields(name))
		if err != nil {
			return err
		}
		for flag, w := range flags {
			if flag == "" {
				c.ValidArgsFunction = w.complete
			} else if err := c.RegisterFlagCompletionFunc(flag, w.complete); err != nil {
				return err
			}
		}
	}
	bench, _, err := root.Find([]string{"bench"})
	for _, c := range bench.Commands() {
		if strings.Contains(c.Use, " SLOT") || strings.Contains(c.Use, "[SLOT]") {
			c.ValidArgsFunction = slotNames
		}
	}
	return err
}

func (w words) complete(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if w.files {
		return w.of(), cobra.ShellCompDirectiveDefault
	}
	return w.of(), cobra.ShellCompDirectiveNoFileComp
}

// each makes the words of a list.
func each[T any](all []T, word func(T) string) (words []string) {
	for _, x := range all {
		words = append(words, word(x))
	}
	return words
}

// inLibrary are the folders of the library, and what is in them.
func inLibrary() []string {
	all, _ := scenarios.Library() // without it there is nothing to complete
	ids := each(all, func(s scenarios.Source) string { return s.ID })
	return slices.Concat(slices.Compact(each(ids, path.Dir)), ids)
}

func rows() []string {
	return each(coverage.Rows(), func(r coverage.Row) string { return r.ID + "\t" + r.Rule })
}

func grammarOfLibrary() language.Grammar {
	g, _ := scenarios.Grammar() // as above
	return g
}

func labels() []string {
	return each(grammarOfLibrary().Labels, func(t language.Term) string { return t.Name + "\t" + t.About })
}

func topics() []string { return grammarOfLibrary().Topics() }

func profiles() []string {
	all, _ := fixtures.Profiles() // as above
	return each(all, func(p fixtures.Profile) string { return p.Name + "\t" + p.Title })
}

func groups() (words []string) {
	for _, g := range suite.Groups() {
		words = append(words, g.Name+"\t"+g.Title)
	}
	return words
}

func quirks() (words []string) {
	for _, q := range fixtures.Quirks() {
		words = append(words, q.Name+"\t"+q.Breaks)
	}
	return words
}

func providers() []string {
	return each(keychain.Providers(), func(p keychain.Provider) string { return p.Name + "\t" + p.Title })
}

func people() []string {
	all, _ := person.Shipped() // as above
	return each(all, func(p *person.Person) string { return p.ID })
}

func defects() []string {
	return each(person.Defects(), func(d person.Defect) string { return string(d) })
}

func kinds() []string {
	return []string{string(person.Passport), string(person.IdentityCard), string(person.DrivingLicence)}
}

// slotNames are those of the bench that --bench names.
func slotNames(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	b, err := slots.Load(c.Flag("bench").Value.String())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return b.Names(), cobra.ShellCompDirectiveNoFileComp
}
