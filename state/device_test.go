package state_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/storetest"
	"fido-emu/state"
)

func open(t testing.TB, path string) state.DeviceFile {
	t.Helper()
	f, err := state.OpenDevice(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestDevice(t *testing.T) {
	storetest.Device(t, func() authenticator.DeviceState {
		return open(t, filepath.Join(t.TempDir(), "device")).Device()
	})
}

func TestCredentials(t *testing.T) {
	directory, n := t.TempDir(), 0
	storetest.Credentials(t, func(max int) authenticator.Credentials {
		n++
		return open(t, filepath.Join(directory, fmt.Sprint(n))).Credentials(max)
	})
}

var storedDevice = authenticator.Device{Initialised: true, PINRetries: 8, UVRetries: 5}
