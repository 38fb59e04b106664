package platform

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// ReadOnlyToken obtains the persistent token with a PIN (CTAP 2.2, permission pcmr). It
// lists credentials, and nothing else, across power cycles until the PIN changes or
// the authenticator is reset; [Token.Bytes] is what to keep of it.
func (h *Host) ReadOnlyToken(ctx context.Context, pin string) (*Token, error) {
	return h.TokenUsingPIN(ctx, pin, Need{Permissions: ctap.PermCredentialMgmtRead})
}

// Bytes returns the token itself, which is a secret.
func (t *Token) Bytes() []byte { return bytes.Clone(t.key) }

// ResumeToken makes a token of the bytes of a persistent one that was obtained earlier,
// perhaps over another connection.
func (h *Host) ResumeToken(ctx context.Context, token []byte) (*Token, error) {
	info, err := h.Info(ctx)
	if err != nil {
		return nil, err
	}
	p, err := protocol(info)
	if err != nil {
		return nil, err
	}
	if len(token) != pinuv.TokenSize {
		return nil, fmt.Errorf("a persistent token has %d bytes, not %d", pinuv.TokenSize, len(token))
	}
	return &Token{&session{host: h, protocol: p}, bytes.Clone(token)}, nil
}

// Identity is what an authenticator tells the holders of its persistent token alone
// (section 6.4).
type Identity struct {
	Identifier [16]byte // of the device, until it is reset
	// StoreState differs when the discoverable credentials differ; nil where the
	// authenticator does not tell.
	StoreState *[16]byte
}

// Identity asks getInfo anew and decrypts encIdentifier and encCredStoreState. A token
// that is no longer the persistent one gives other values and no error: nothing in
// them says that they are right.
func (h *Host) Identity(ctx context.Context, persistent *Token) (Identity, error) {
	h.Forget()
	info, err := h.Info(ctx)
	if err != nil {
		return Identity{}, err
	}
	doing := ctap.GetInfo.String()
	var who Identity
	if who.Identifier, err = persistent.open("encIdentifier", info.EncIdentifier); err != nil {
		return Identity{}, broken(doing, err.Error(), nil)
	}
	if info.EncCredStoreState == nil {
		return who, nil
	}
	state, err := persistent.open("encCredStoreState", info.EncCredStoreState)
	if err != nil {
		return Identity{}, broken(doing, err.Error(), nil)
	}
	who.StoreState = &state
	return who, nil
}

// open decrypts iv ‖ AES-128-CBC(block) under a key that HKDF-SHA-256 makes of the
// token, with the member's name as info.
func (t *Token) open(member string, sealed []byte) (block [aes.BlockSize]byte, err error) {
	if len(sealed) != 2*aes.BlockSize {
		return block, fmt.Errorf("%s has %d bytes, not %d", member, len(sealed), 2*aes.BlockSize)
	}
	key, err := hkdf.Key(sha256.New, t.key, make([]byte, sha256.Size), member, aes.BlockSize)
	if err != nil {
		return block, err
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return block, err
	}
	cipher.NewCBCDecrypter(c, sealed[:aes.BlockSize]).CryptBlocks(block[:], sealed[aes.BlockSize:])
	return block, nil
}
