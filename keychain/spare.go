package keychain

import (
	"context"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"strings"
)

// secretAlphabet is that of recovery codes and Secret Keys: what is easily mistaken for
// something else is left out.
const secretAlphabet = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"

const (
	codeLen      = 28 // 138 bits
	secretKeyLen = 26 // 128 bits
)

// randomText returns n characters of the alphabet, without bias.
func randomText(rand io.Reader, n int) (string, error) {
	var text strings.Builder
	for text.Len() < n {
		b, err := randomBytes(rand, 1)
		if err != nil {
			return "", err
		}
		if i := int(b[0] & 31); i < len(secretAlphabet) {
			text.WriteByte(secretAlphabet[i])
		}
	}
	return text.String(), nil
}

// grouped puts a dash behind every n characters.
func grouped(text string, n int) string {
	var parts []string
	for ; len(text) > n; text = text[n:] {
		parts = append(parts, text[:n])
	}
	return strings.Join(append(parts, text), "-")
}

// spare is a new spare key before it is sealed.
type spare struct {
	way     JoinWay
	key     *ecdh.PrivateKey
	request spareRequest
}

// newSpare makes a key pair and a salt. d.mu is held.
func (d *Device) newSpare(way JoinWay) (*spare, error) {
	key, err := newP256(d.env.Rand)
	if err != nil {
		return nil, err
	}
	salt, err := randomBytes(d.env.Rand, 16)
	if err != nil {
		return nil, err
	}
	return &spare{way, key, spareRequest{ID: string(way), Way: way, PublicKey: key.PublicKey().Bytes(), Salt: salt}}, nil
}

// seal encrypts the private half under a key and notes the proof that goes with it.
// d.mu is held.
func (s *spare) seal(d *Device, account string, keys []byte) (err error) {
	s.request.Proof = keys[:32]
	s.request.Sealed, err = sealSecret(d.env.Rand, keys[32:], account, s.way, s.key.Bytes())
	return err
}

func sealSecret(rand io.Reader, key []byte, account string, way JoinWay, secret []byte) ([]byte, error) {
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	nonce, err := randomBytes(rand, nonceLen)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, secret, bind("spare", account, 0, string(way))), nil
}

func openSecret(key []byte, account string, way JoinWay, sealed []byte) (*ecdh.PrivateKey, error) {
	aead, err := newGCM(key)
	if err != nil {
		return nil, damaged("what seals the %s is no key", way)
	}
	if len(sealed) < nonceLen {
		return nil, damaged("the sealed %s is too short", way)
	}
	scalar, err := aead.Open(nil, sealed[:nonceLen], sealed[nonceLen:], bind("spare", account, 0, string(way)))
	if err != nil {
		return nil, damaged("the sealed %s does not open", way)
	}
	key2, err := ecdh.P256().NewPrivateKey(scalar)
	if err != nil {
		return nil, damaged("the sealed %s is not a key", way)
	}
	return key2, nil
}

// wrapSpare adds the domain key of a ring, and the tag by which members know the spare
// key for their own.
func (d *Device) wrapSpare(ring keyring, account string, r *spareRequest) (err error) {
	r.Epoch = ring.epoch()
	if r.Tag, err = spareTag(ring.current(), account, r.ID, r.PublicKey); err != nil {
		return err
	}
	r.Box, err = d.wrap(ring, account, r.PublicKey)
	return err
}

// spareTag is a code that only members can make: without it the service could have the
// next domain key wrapped to a key of its own.
func spareTag(key *domainKey, account, id string, publicKey []byte) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, key.raw, nil, "fido-emu keychain spare", keyLen)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, k)
	mac.Write(bind("spare", account, 0, id))
	mac.Write(publicKey)
	return mac.Sum(nil), nil
}

// rewrapSpares wraps the domain key of a ring to the spare keys that the last one vouches
// for.
func (d *Device) rewrapSpares(s *session, ring keyring, spares []spareInfo) ([]rewrapped, error) {
	var all []rewrapped
	for _, i := range spares {
		want, err := spareTag(s.ring.current(), s.account, i.ID, i.PublicKey)
		if err != nil {
			return nil, err
		}
		if subtle.ConstantTimeCompare(want, i.Tag) != 1 {
			return nil, damaged("the spare key %q was not left by a member", i.ID)
		}
		r := spareRequest{ID: i.ID, PublicKey: i.PublicKey}
		if err := d.wrapSpare(ring, s.account, &r); err != nil {
			return nil, err
		}
		all = append(all, rewrapped{i.ID, r.Box, r.Tag})
	}
	return all, nil
}

// leave leaves a spare key with the service. d.talking is held.
func (d *Device) leave(ctx context.Context, s *session, r spareRequest) error {
	return d.atEpoch(ctx, s, func() error {
		if err := d.wrapSpare(s.ring, s.account, &r); err != nil {
			return err
		}
		_, err := call[nothing](ctx, d.cloud, OpLeave, s.bearer, r)
		return err
	})
}

// NewRecoveryCode makes a code of 28 characters that opens the account, in place of an
// earlier one. It is shown once, to be written down; nobody keeps it.
func (d *Device) NewRecoveryCode(ctx context.Context) (string, error) {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return "", err
	}
	code, r, err := d.codeSpare(s.account)
	if err != nil {
		return "", err
	}
	return grouped(code, 4), d.leave(ctx, &s, r)
}

func (d *Device) codeSpare(account string) (code string, r spareRequest, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if code, err = randomText(d.env.Rand, codeLen); err != nil {
		return "", r, err
	}
	made, err := d.newSpare(ByCode)
	if err != nil {
		return "", r, err
	}
	keys, err := codeKeys(code, made.request.Salt)
	if err != nil {
		return "", r, err
	}
	err = made.seal(d, account, keys)
	return code, made.request, err
}

// codeKeys derives proof and key, 32 bytes each, from a recovery code. It has enough
// bits to need no stretching.
func codeKeys(code string, salt []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, []byte(normalCode(code)), salt, "fido-emu keychain recovery code", 64)
}

// RecoverWithCode joins an account with its recovery code.
func (d *Device) RecoverWithCode(ctx context.Context, account, secret, code string) error {
	return d.takeSpare(ctx, account, secret, string(ByCode), func(p *spareParams) ([]byte, error) {
		return codeKeys(code, p.Salt)
	}, nil)
}

// SignInAlone joins an account with nothing but its secret, where the provider has the
// key itself.
func (d *Device) SignInAlone(ctx context.Context, account, secret string) error {
	return d.takeSpare(ctx, account, secret, string(ByLogin), func(*spareParams) ([]byte, error) { return make([]byte, 64), nil },
		func(_ string, _ []byte, sealed []byte) (*ecdh.PrivateKey, error) {
			key, err := ecdh.P256().NewPrivateKey(sealed)
			if err != nil {
				return nil, damaged("what the provider has is not a key")
			}
			return key, nil
		})
}

// loginSpare is the spare key of an account whose provider can read all.
func (d *Device) loginSpare() (spareRequest, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	made, err := d.newSpare(ByLogin)
	if err != nil {
		return spareRequest{}, err
	}
	made.request.Sealed = made.key.Bytes()
	return made.request, nil
}

// opener opens what the service gave for the keys that a person's secret led to.
type opener func(account string, key, sealed []byte) (*ecdh.PrivateKey, error)

// takeSpare joins with a spare key. derive makes proof and key from what the person has;
// open is nil where the key opens what the service gives.
func (d *Device) takeSpare(ctx context.Context, account, secret, id string, derive func(*spareParams) ([]byte, error), open opener) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	identity, l, err := d.prepare(account, secret)
	if err != nil {
		return err
	}
	params, err := knock[spareParams](ctx, d, OpSpare, &l, func() any { return spareLook{l, id} })
	if err != nil {
		return err
	}
	if params.Iterations < 0 || params.Iterations > maxIterations {
		return damaged("the spare key wants %d iterations", params.Iterations)
	}
	keys, err := derive(params)
	if err != nil {
		return err
	}
	r, err := knock[openResponse](ctx, d, OpTake, &l, func() any { return spareTake{l, id, keys[:32], d.info(identity)} })
	if err != nil {
		return err
	}
	if open == nil {
		way, _, _ := strings.Cut(id, "/")
		open = func(account string, key, sealed []byte) (*ecdh.PrivateKey, error) {
			return openSecret(key, account, JoinWay(way), sealed)
		}
	}
	key, err := open(l.Account, keys[32:], r.Sealed)
	if err != nil {
		return err
	}
	ring, err := openRing(l.Account, memberID(key.PublicKey().Bytes()), key, &r.Keys, nil)
	if err != nil {
		return err
	}
	return d.finish(ctx, l.Account, identity, r, ring)
}
