package storetest_test

import (
	"testing"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/storetest"
)

func TestPowerCutsInMemory(t *testing.T) {
	storetest.PowerCuts(t, func(*testing.T) func() storetest.Stores {
		s := storetest.Stores{Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(10)}
		return func() storetest.Stores { return s }
	})
}
