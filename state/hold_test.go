package state_test

import (
	"errors"
	"path/filepath"
	"testing"

	"fido-emu/state"
)

func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locks", "a.lock")
	for range 2 {
		held, err := state.Hold(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := state.Hold(path); !errors.Is(err, state.InUse) {
			t.Errorf("held twice: %v", err)
		}
		if err := held.Close(); err != nil {
			t.Error(err)
		}
	}
}
