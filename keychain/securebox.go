package keychain

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// SecureBox, version 2, as in Chromium's components/trusted_vault/securebox.cc:
//
//	02 00 ‖ ephemeral P-256 point (65) ‖ nonce (12) ‖ AES-128-GCM ciphertext and tag
//
// with the header as additional data and the key
// HKDF-SHA-256(ECDH x ‖ shared secret, "SECUREBOX" ‖ 02 00, "P256 HKDF-SHA-256 AES-128-GCM").
// The keychain's boxes have no shared secret; the published vectors do.
const (
	boxSalt  = "SECUREBOX\x02\x00"
	boxInfo  = "P256 HKDF-SHA-256 AES-128-GCM"
	pointLen = 65
	nonceLen = 12
)

var errBox = errors.New("SecureBox does not open")

// newP256 makes a private key from rand alone; the standard library's key
// generation does not use the reader it is given.
func newP256(rand io.Reader) (*ecdh.PrivateKey, error) {
	for {
		scalar, err := randomBytes(rand, 32)
		if err != nil {
			return nil, err
		}
		if key, err := ecdh.P256().NewPrivateKey(scalar); err == nil { // refused: 0 or not below the order
			return key, nil
		}
	}
}

func randomBytes(rand io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, &Error{Code: NoRandomness, Message: fmt.Sprintf("no %d random bytes to be had", n), Err: err}
	}
	return b, nil
}

// sealBox encrypts payload to a public key. header is bound and not contained;
// sharedSecret may be nil.
func sealBox(rand io.Reader, to *ecdh.PublicKey, sharedSecret, header, payload []byte) ([]byte, error) {
	ephemeral, err := newP256(rand)
	if err != nil {
		return nil, err
	}
	nonce, err := randomBytes(rand, nonceLen)
	if err != nil {
		return nil, err
	}
	aead, err := boxCipher(ephemeral, to, sharedSecret)
	if err != nil {
		return nil, err
	}
	box := append([]byte{2, 0}, ephemeral.PublicKey().Bytes()...)
	box = append(box, nonce...)
	return aead.Seal(box, nonce, payload, header), nil
}

// openBox decrypts what sealBox made with the same shared secret and header.
func openBox(key *ecdh.PrivateKey, sharedSecret, header, box []byte) ([]byte, error) {
	if len(box) < 2+pointLen+nonceLen || box[0] != 2 || box[1] != 0 {
		return nil, fmt.Errorf("%w: not version 2", errBox)
	}
	ephemeral, err := ecdh.P256().NewPublicKey(box[2 : 2+pointLen])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBox, err)
	}
	aead, err := boxCipher(key, ephemeral, sharedSecret)
	if err != nil {
		return nil, err
	}
	rest := box[2+pointLen:]
	payload, err := aead.Open(nil, rest[:nonceLen], rest[nonceLen:], header)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBox, err)
	}
	return payload, nil
}

func boxCipher(key *ecdh.PrivateKey, peer *ecdh.PublicKey, sharedSecret []byte) (cipher.AEAD, error) {
	x, err := key.ECDH(peer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBox, err)
	}
	k, err := hkdf.Key(sha256.New, append(x, sharedSecret...), []byte(boxSalt), boxInfo, 16)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBox, err)
	}
	return newGCM(k)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
