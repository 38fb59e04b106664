package keychain

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdh"
	"encoding/binary"
	"fmt"
	"io"
)

const keyLen = 32

// domainKey encrypts the entities of one epoch.
type domainKey struct {
	raw  []byte
	aead cipher.AEAD
}

func newDomainKey(raw []byte) (*domainKey, error) {
	if len(raw) != keyLen {
		return nil, damaged("a domain key has %d bytes, not %d", len(raw), keyLen)
	}
	aead, err := newGCM(raw)
	if err != nil {
		return nil, err
	}
	return &domainKey{raw, aead}, nil
}

// keyring is the domain keys of an account, one for each epoch from 1 on. It is
// never changed, only replaced by a longer one.
type keyring []*domainKey

func (k keyring) epoch() uint { return uint(len(k)) }

func (k keyring) current() *domainKey { return k[len(k)-1] }

func (k keyring) key(epoch uint) (*domainKey, error) {
	if epoch == 0 || epoch > k.epoch() {
		return nil, damaged("there is no domain key of epoch %d", epoch)
	}
	return k[epoch-1], nil
}

// append returns a keyring with the next epoch's key.
func (k keyring) append(raw []byte) (keyring, error) {
	key, err := newDomainKey(raw)
	if err != nil {
		return nil, err
	}
	return append(k[:len(k):len(k)], key), nil
}

// openRing unwraps the current domain key with a private key and follows the
// links down to the first. Where known has keys, the links must lead to them:
// only somebody who had the last key can have made the next.
func openRing(account string, recipient string, key *ecdh.PrivateKey, keys *keysResponse, known keyring) (keyring, error) {
	if keys.Epoch == 0 || uint(len(keys.Links)) != keys.Epoch-1 {
		return nil, damaged("%d links do not fit epoch %d", len(keys.Links), keys.Epoch)
	}
	if keys.Epoch < known.epoch() {
		return nil, failure(RolledBack, restartHint, "the service is at epoch %d and was at %d", keys.Epoch, known.epoch())
	}
	raw, err := openBox(key, nil, boxHeader(account, keys.Epoch, recipient), keys.Box)
	if err != nil {
		return nil, &Error{Code: Damaged, Message: "the wrapped domain key", Err: err}
	}
	ring := make(keyring, keys.Epoch)
	for epoch := keys.Epoch; ; epoch-- {
		if ring[epoch-1], err = newDomainKey(raw); err != nil {
			return nil, err
		}
		if epoch <= known.epoch() && !bytes.Equal(raw, known[epoch-1].raw) {
			return nil, damaged("the domain key of epoch %d is not the one that was known", epoch)
		}
		if epoch == 1 {
			return ring, nil
		}
		if raw, err = openLink(ring[epoch-1], account, epoch, keys.Links[epoch-2]); err != nil {
			return nil, err
		}
	}
}

// sealLink encrypts the last domain key under the new one of epoch.
func sealLink(rand io.Reader, key *domainKey, account string, epoch uint, last *domainKey) ([]byte, error) {
	nonce, err := randomBytes(rand, nonceLen)
	if err != nil {
		return nil, err
	}
	return key.aead.Seal(nonce, nonce, last.raw, bind("link", account, epoch, "")), nil
}

func openLink(key *domainKey, account string, epoch uint, link []byte) ([]byte, error) {
	if len(link) < nonceLen {
		return nil, damaged("the link of epoch %d is too short", epoch)
	}
	raw, err := key.aead.Open(nil, link[:nonceLen], link[nonceLen:], bind("link", account, epoch, ""))
	if err != nil {
		return nil, &Error{Code: Damaged, Message: fmt.Sprintf("the link of epoch %d", epoch), Err: err}
	}
	return raw, nil
}

// boxHeader binds a wrapped domain key to its place.
func boxHeader(account string, epoch uint, recipient string) []byte {
	return bind("domain key", account, epoch, recipient)
}

// bind returns additional data: a purpose, the account, an epoch and a name, each
// with its length, so that no two contexts look alike.
func bind(purpose, account string, epoch uint, name string) []byte {
	b := make([]byte, 0, 96)
	for _, s := range []string{purpose, account, name} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return binary.BigEndian.AppendUint64(b, uint64(epoch))
}

const restartHint = "was it restored from an old backup? wipe the device and join again"

func damaged(format string, args ...any) *Error {
	return failure(Damaged, "the service or the way to it changed data: nothing of this answer was taken over", format, args...)
}
