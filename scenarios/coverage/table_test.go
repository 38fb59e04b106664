package coverage_test

import (
	"slices"
	"testing"

	"fido-emu/scenarios/coverage"
	"fido-emu/scenarios/language"
)

// TestOf counts variants, names files once, and leaves a row without scenarios empty
// unless it says why.
func TestOf(t *testing.T) {
	variant := func(model string) *language.Scenario {
		return &language.Scenario{ID: "loss/key[model=" + model + "]", Matrix: []language.Choice{{Name: "model", Value: model}}, Covers: []string{"device-loss"}}
	}
	all := []*language.Scenario{variant("a"), variant("b"), {ID: "sync/new", Covers: []string{"synced", "device-loss"}}}
	for _, row := range coverage.Of(all) {
		switch row.ID {
		case "device-loss":
			if row.Scenarios != 3 || !slices.Equal(row.Files, []string{"loss/key", "sync/new"}) {
				t.Errorf("device-loss is shown by %d: %v", row.Scenarios, row.Files)
			}
		case "synced":
			if row.Empty() || row.Scenarios != 1 {
				t.Errorf("synced is shown by %d: %v", row.Scenarios, row.Files)
			}
		case "escrow":
			if !row.Empty() {
				t.Errorf("escrow is shown by %v", row.Files)
			}
		case "cross-device":
			if row.Empty() || row.Scenarios != 0 {
				t.Errorf("cross-device does not say that it is not covered yet: %+v", row)
			}
		}
	}
}

// TestRows: a row can be named, and says something.
func TestRows(t *testing.T) {
	ids := coverage.IDs()
	for i, r := range coverage.Rows() {
		if r.ID == "" || r.Rule == "" || r.Group == "" || slices.Index(ids, r.ID) != i {
			t.Errorf("row %d is %+v", i, r)
		}
	}
}
