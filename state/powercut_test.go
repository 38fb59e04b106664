package state_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"fido-emu/ctap/authenticator/storetest"
)

// TestPowerCuts opens a copy of the file, as it is on the disk, each time that the power
// comes: what was never closed counts, and nothing else.
func TestPowerCuts(t *testing.T) {
	storetest.PowerCuts(t, func(t *testing.T) func() storetest.Stores {
		dir, opened := t.TempDir(), 0
		path := filepath.Join(dir, "device")
		return func() storetest.Stores {
			if opened++; opened > 1 {
				path = copied(t, path, filepath.Join(dir, fmt.Sprint("device", opened)))
			}
			f := open(t, path)
			return storetest.Stores{Device: f.Device(), Credentials: f.Credentials(10)}
		}
	})
}

func copied(t *testing.T, from, to string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}
