package authenticator

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"io"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// storedIDLength is the length in bytes of the random id of a stored credential.
const storedIDLength = 32

// A sealed id is version ‖ nonce(12) ‖ AES-256-GCM(alg(4) ‖ protection(1) ‖ flags(1) ‖
// key handle), with the RP ID hash as additional data: it opens only on this
// device, before its next reset, and for its relying party.
const (
	sealedVersion  = 1
	sealedNonce    = 12
	sealedHead     = 6
	sealedOverhead = 1 + sealedNonce + sealedHead + 16
	sealedHMAC     = 1 // flag: made with hmac-secret
	sealedPayment  = 2 // flag: made with thirdPartyPayment
)

// aead returns the cipher that seals credentials.
func (a *Authenticator) aead() (cipher.AEAD, error) {
	if a.wrap != nil {
		return a.wrap, nil
	}
	block, err := aes.NewCipher(a.device.WrapKey)
	if err != nil {
		return nil, err
	}
	a.wrap, err = cipher.NewGCM(block)
	return a.wrap, err
}

// seal returns an id that holds the credential, or nil when that would be longer
// than an id may be.
func (a *Authenticator) seal(rpIDHash [32]byte, c *Credential, hmacSecret bool) ([]byte, error) {
	if uint(sealedOverhead+len(c.KeyHandle)) > a.profile.maxCredIDLength() {
		return nil, nil
	}
	aead, err := a.aead()
	if err != nil {
		return nil, err
	}
	id := make([]byte, 1+sealedNonce, sealedOverhead+len(c.KeyHandle))
	id[0] = sealedVersion
	if _, err := io.ReadFull(a.env.Rand, id[1:]); err != nil {
		return nil, err
	}
	plain := make([]byte, sealedHead, sealedHead+len(c.KeyHandle))
	binary.BigEndian.PutUint32(plain, uint32(int32(c.Algorithm)))
	plain[4] = c.Protection
	if hmacSecret {
		plain[5] |= sealedHMAC
	}
	if c.ThirdPartyPayment {
		plain[5] |= sealedPayment
	}
	return aead.Seal(id, id[1:], append(plain, c.KeyHandle...), rpIDHash[:]), nil
}

// open returns the credential that an id holds, or nil when it is not one of this
// device's for this relying party.
func (a *Authenticator) open(rpIDHash [32]byte, rpID string, id []byte) (*Credential, error) {
	if len(id) < sealedOverhead || id[0] != sealedVersion {
		return nil, nil
	}
	aead, err := a.aead()
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, id[1:1+sealedNonce], id[1+sealedNonce:], rpIDHash[:])
	if err != nil {
		return nil, nil // somebody else's
	}
	credential := &Credential{
		ID: id, RP: ctap.RelyingParty{ID: rpID},
		Algorithm:  cose.Algorithm(int32(binary.BigEndian.Uint32(plain))),
		Protection: plain[4], KeyHandle: plain[sealedHead:],
		ThirdPartyPayment: plain[5]&sealedPayment != 0,
	}
	if plain[5]&sealedHMAC != 0 {
		credential.HMACSecret = a.deriveHMACSecret(id)
	}
	return credential, nil
}

// locate returns those credentials of a list that this authenticator has for the
// relying party and may tell of: not the ones that need user verification when
// there was none. Unknown descriptor types are passed over.
func (a *Authenticator) locate(c *ceremony, list []ctap.Descriptor) ([]*Credential, error) {
	var found []*Credential
	for _, d := range list {
		if d.Type == "" || d.ID == nil {
			return nil, ctap.ErrMissingParameter
		}
		if d.Type != ctap.PublicKeyCredential {
			continue
		}
		credential, err := a.lookUp(c, d.ID)
		if err != nil {
			return nil, err
		}
		if credential != nil && (c.verified || credential.Protection < protectUV) {
			found = append(found, credential)
		}
	}
	return found, nil
}

// lookUp finds one credential by its id, in the store or in the id itself.
func (a *Authenticator) lookUp(c *ceremony, id []byte) (*Credential, error) {
	stored, err := a.env.Credentials.ByID(id)
	if err != nil {
		return nil, err
	}
	if stored == nil {
		return a.open(c.rpIDHash, c.rpID, id)
	}
	if stored.RP.ID != c.rpID {
		return nil, nil
	}
	return stored, nil
}
