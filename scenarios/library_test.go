package scenarios

import (
	"path"
	"slices"
	"strings"
	"testing"

	"fido-emu/scenarios/coverage"
	"fido-emu/scenarios/language"
)

// builtInScenarios loads the library.
func builtInScenarios(t *testing.T) []*language.Scenario {
	t.Helper()
	sources, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	g, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	all, err := Load(sources, g)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestLibraryTellsWhy: every scenario of the library says why it matters, can be
// selected by a label and shows a row of the coverage table; no row is without one, but
// for those that say why.
func TestLibraryTellsWhy(t *testing.T) {
	all := builtInScenarios(t)
	for _, s := range all {
		switch {
		case len(strings.Fields(s.Purpose)) < 12:
			t.Errorf("%s does not say why it matters: %q", s.ID, s.Purpose)
		case len(s.Labels) == 0:
			t.Errorf("%s has no label", s.ID)
		case len(s.Covers) == 0:
			t.Errorf("%s covers nothing", s.ID)
		case s.Focus || s.Skip != "":
			t.Errorf("%s is focused or left out", s.ID)
		case AboutFolder(path.Dir(s.ID)) == "":
			t.Errorf("%s: of its folder nothing is said", s.ID)
		}
	}
	for _, row := range coverage.Of(all) {
		if row.Empty() {
			t.Errorf("no scenario shows %s: %s", row.ID, row.Rule)
		}
	}
}

// TestLibraryHasOneVocabulary: labels are those of the vocabulary, each of which somebody
// uses; no two scenarios have one title; of no folder is anything said that is not there.
func TestLibraryHasOneVocabulary(t *testing.T) {
	unused, titles, unknown := map[string]bool{}, map[string]string{}, folders()
	for _, l := range coverage.Labels() {
		if unused[l.Name] || !strings.HasSuffix(l.About, ".") {
			t.Errorf("label %s is there twice, or says nothing: %q", l.Name, l.About)
		}
		unused[l.Name] = true
	}
	known := func(name string) bool {
		return slices.ContainsFunc(coverage.Labels(), func(l coverage.Label) bool { return l.Name == name })
	}
	for _, s := range builtInScenarios(t) {
		for _, name := range s.Labels {
			if !known(name) {
				t.Errorf("%s has label %s, which is not in the vocabulary (coverage.Labels)", s.At.File, name)
			}
			delete(unused, name)
		}
		if other, there := titles[s.Title]; there && other != s.At.File {
			t.Errorf("%s and %s have one title: %s", s.At.File, other, s.Title)
		}
		titles[s.Title] = s.At.File
		delete(unknown, path.Dir(s.ID))
	}
	for name := range unused {
		t.Errorf("label %s is used by no scenario", name)
	}
	for name := range unknown {
		t.Errorf("folder %s is described and not there", name)
	}
}

// TestLibrarySaysWhyRefused: a refusal that is expected without a reason, or for one of
// several, is also there when something else goes wrong.
func TestLibrarySaysWhyRefused(t *testing.T) {
	for _, s := range builtInScenarios(t) {
		for _, c := range s.Steps {
			switch reason := c.Text("reason"); {
			case c.Refused && reason == "":
				t.Errorf("%s:%d: %s is expected to be refused, and not said why", c.At.File, c.At.Line, c.Usage.Verb)
			case strings.ContainsAny(reason, "/*?"):
				t.Errorf("%s:%d: reason %s: name the one that is meant", c.At.File, c.At.Line, reason)
			}
		}
	}
}
