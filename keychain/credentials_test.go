package keychain_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/storetest"
	"fido-emu/keychain"
)

func TestCredentials(t *testing.T) {
	storetest.Credentials(t, func(max int) authenticator.Credentials {
		env := keychain.Env{Now: time.Now, Rand: rand.NewChaCha8([32]byte{}), MaxCredentials: max}
		return keychain.NewDevice("phone", nil, env).Credentials()
	})
}
