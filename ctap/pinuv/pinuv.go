// Package pinuv implements the PIN/UV auth protocols one and two, the
// cryptography by which a platform and an authenticator agree on a secret, send
// each other PINs and tokens, and authenticate requests (CTAP 2.3, sections 6.5.6
// and 6.5.7). Both sides use it.
package pinuv

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// TokenSize is the size of a pinUvAuthToken in bytes: protocol one allows 16 or
// 32, protocol two demands 32.
const TokenSize = 32

// ErrCiphertext is returned for a ciphertext whose length cannot be right.
var ErrCiphertext = errors.New("pinuv: ciphertext of a wrong length")

// Protocol is a PIN/UV auth protocol. Its secrets are what Encapsulate and
// Decapsulate return: 32 bytes for protocol one, 64 for protocol two.
type Protocol struct{ number uint }

// The two protocols.
var (
	One = Protocol{1}
	Two = Protocol{2}
)

// ByNumber returns the protocol that getInfo and requests call n.
func ByNumber(n uint) (Protocol, bool) {
	return Protocol{n}, n == 1 || n == 2
}

// Number returns what getInfo and requests call the protocol.
func (p Protocol) Number() uint { return p.number }

// String returns "PIN/UV auth protocol" and the number.
func (p Protocol) String() string { return fmt.Sprintf("PIN/UV auth protocol %d", p.number) }

// kdf makes the shared secret of z, the 32-byte x coordinate of the ECDH result:
// SHA-256 in protocol one; an HMAC key and an AES key in protocol two.
func (p Protocol) kdf(z []byte) ([]byte, error) {
	if p == One {
		d := sha256.Sum256(z)
		return d[:], nil
	}
	prk, err := hkdf.Extract(sha256.New, z, make([]byte, 32))
	if err != nil {
		return nil, err
	}
	hmacKey, err := hkdf.Expand(sha256.New, prk, "CTAP2 HMAC key", 32)
	if err != nil {
		return nil, err
	}
	aesKey, err := hkdf.Expand(sha256.New, prk, "CTAP2 AES key", 32)
	return append(hmacKey, aesKey...), err
}

// aesBlock returns the cipher that a shared secret encrypts with.
func (p Protocol) aesBlock(secret []byte) (cipher.Block, error) {
	if p == Two && len(secret) == 64 {
		secret = secret[32:]
	}
	return aes.NewCipher(secret)
}

// Encrypt encrypts plaintext, a multiple of 16 bytes, with AES-256-CBC and without
// padding: under an IV of zeros in protocol one, under a random one in front of
// the ciphertext in protocol two.
func (p Protocol) Encrypt(secret, plaintext []byte, rand io.Reader) ([]byte, error) {
	block, err := p.aesBlock(secret)
	if err != nil {
		return nil, err
	}
	if len(plaintext)%aes.BlockSize != 0 {
		return nil, ErrCiphertext
	}
	out := make([]byte, p.ivSize()+len(plaintext))
	var zeros [aes.BlockSize]byte
	iv := zeros[:]
	if p == Two {
		iv = out[:aes.BlockSize]
		if _, err := io.ReadFull(rand, iv); err != nil {
			return nil, fmt.Errorf("pinuv: random IV: %w", err)
		}
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out[p.ivSize():], plaintext)
	return out, nil
}

// Decrypt undoes Encrypt. A ciphertext of a length that Encrypt cannot have
// produced is ErrCiphertext.
func (p Protocol) Decrypt(secret, ciphertext []byte) ([]byte, error) {
	block, err := p.aesBlock(secret)
	if err != nil {
		return nil, err
	}
	n := len(ciphertext) - p.ivSize()
	if n < 0 || n%aes.BlockSize != 0 {
		return nil, ErrCiphertext
	}
	var zeros [aes.BlockSize]byte
	iv := zeros[:]
	if p == Two {
		iv = ciphertext[:aes.BlockSize]
	}
	out := make([]byte, n)
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, ciphertext[p.ivSize():])
	return out, nil
}

func (p Protocol) ivSize() int {
	if p == Two {
		return aes.BlockSize
	}
	return 0
}

// Authenticate returns the MAC of message under key, a shared secret or a
// pinUvAuthToken: HMAC-SHA-256, of which protocol one keeps the first 16 bytes.
func (p Protocol) Authenticate(key, message []byte) []byte {
	if p == Two && len(key) == 64 {
		key = key[:32]
	}
	m := hmac.New(sha256.New, key)
	m.Write(message)
	sum := m.Sum(nil)
	if p == One {
		return sum[:16]
	}
	return sum
}

// Verify reports in constant time whether mac is the MAC of message under key.
func (p Protocol) Verify(key, message, mac []byte) bool {
	return hmac.Equal(p.Authenticate(key, message), mac)
}
