package scenarios

import (
	"strings"
	"testing"

	"fido-emu/scenarios/coverage"
)

// TestLibraryTellsWhy: every scenario of the library says why it matters, can be
// selected by a label and shows a row of the coverage table; no row is without one, but
// for those that say why.
func TestLibraryTellsWhy(t *testing.T) {
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
	for _, s := range all {
		switch {
		case len(strings.Fields(s.Purpose)) < 8:
			t.Errorf("%s does not say why it matters: %q", s.ID, s.Purpose)
		case len(s.Labels) == 0:
			t.Errorf("%s has no label", s.ID)
		case len(s.Covers) == 0:
			t.Errorf("%s covers nothing", s.ID)
		case s.Focus || s.Skip != "":
			t.Errorf("%s is focused or left out", s.ID)
		}
	}
	for _, row := range coverage.Of(all) {
		if row.Empty() {
			t.Errorf("no scenario shows %s: %s", row.ID, row.Rule)
		}
	}
}
