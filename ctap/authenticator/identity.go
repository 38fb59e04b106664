package authenticator

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"io"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// The labels under which a platform with the persistent token decrypts members of
// getInfo (section 6.4).
const (
	infoIdentifier = "encIdentifier"
	infoStoreState = "encCredStoreState"
)

// identify gives d what a profile with the persistent token must have and d has not:
// the token, and what only its holders read in getInfo.
func (a *Authenticator) identify(d *Device) error {
	if !a.profile.ReadOnlyManagement {
		return nil
	}
	for _, secret := range []struct {
		value *[]byte
		size  int
	}{{&d.PersistentToken, pinuv.TokenSize}, {&d.Identifier, aes.BlockSize}, {&d.StoreState, aes.BlockSize}} {
		if *secret.value != nil {
			continue
		}
		b := make([]byte, secret.size)
		if _, err := io.ReadFull(a.env.Rand, b); err != nil {
			return err
		}
		*secret.value = b
	}
	return nil
}

// replacePersistentToken is resetPersistentPinUvAuthToken: who holds the old one
// holds nothing.
func (a *Authenticator) replacePersistentToken(d *Device) error {
	d.PersistentToken = nil
	return a.identify(d)
}

// verifyPersistent tells whether a MAC is by the persistent token, which any protocol
// that the profile has may carry.
func (a *Authenticator) verifyPersistent(protocol uint, message, mac []byte) bool {
	p, ok := pinuv.ByNumber(protocol)
	return ok && a.device.PersistentToken != nil && p.Verify(a.device.PersistentToken, message, mac)
}

// identities fills in encIdentifier and encCredStoreState, encrypted anew each time.
func (a *Authenticator) identities(info *ctap.Info) (err error) {
	if !a.profile.ReadOnlyManagement {
		return nil
	}
	if info.EncIdentifier, err = a.forHolders(infoIdentifier, a.device.Identifier); err != nil {
		return err
	}
	if !a.profile.EncCredStoreState {
		return nil
	}
	state, err := a.storeState()
	if err != nil {
		return err
	}
	info.EncCredStoreState, err = a.forHolders(infoStoreState, state)
	return err
}

// forHolders encrypts a block to those who hold the persistent token: iv(16) ‖
// AES-128-CBC, under a key of HKDF-SHA-256 with a salt of 32 zeros.
func (a *Authenticator) forHolders(label string, block []byte) (ctap.Bytes, error) {
	key, err := hkdf.Key(sha256.New, a.device.PersistentToken, make([]byte, sha256.Size), label, aes.BlockSize)
	if err != nil {
		return nil, err
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 2*aes.BlockSize)
	iv := out[:aes.BlockSize]
	if _, err := io.ReadFull(a.env.Rand, iv); err != nil {
		return nil, err
	}
	cipher.NewCBCEncrypter(c, iv).CryptBlocks(out[aes.BlockSize:], block)
	return out, nil
}

// storeState is 16 bytes that differ whenever what credential management shows
// differs: a keyed digest of it, so that a sync account which changes beneath counts
// as much as the authenticator's own commands.
func (a *Authenticator) storeState() ([]byte, error) {
	all, err := a.env.Credentials.All()
	if err != nil {
		return nil, err
	}
	digest := hmac.New(sha256.New, a.device.StoreState)
	for _, c := range all {
		if !c.Discoverable {
			continue
		}
		shown, err := ctap.Encode([]any{c.ID, c.RP, c.User, c.Protection, c.LargeBlobKey, c.ThirdPartyPayment})
		if err != nil {
			return nil, err
		}
		digest.Write(shown)
	}
	return digest.Sum(nil)[:aes.BlockSize], nil
}
