package storetest_test

import (
	"testing"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/storetest"
)

func TestMemoryCredentials(t *testing.T) {
	storetest.Credentials(t, func(max int) authenticator.Credentials { return authenticator.NewMemoryCredentials(max) })
}

func TestMemoryDevice(t *testing.T) {
	storetest.Device(t, func() authenticator.DeviceState { return authenticator.NewMemoryDevice() })
}
