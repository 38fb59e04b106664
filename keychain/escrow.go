package keychain

import (
	"context"
	"crypto/ecdh"
	"strings"
)

// SetPasscode puts the account into escrow under a passcode, in place of an
// earlier record. The recovery key is made here, sealed, and forgotten.
func (d *Device) SetPasscode(ctx context.Context, passcode string) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return err
	}
	if err := d.rules().takes(passcode); err != nil {
		return err
	}
	request, err := d.escrow(s.account, passcode)
	if err != nil {
		return err
	}
	return d.atEpoch(ctx, &s, func() error {
		request.Epoch = s.ring.epoch()
		if request.Box, err = d.wrap(s.ring, s.account, request.PublicKey); err != nil {
			return err
		}
		_, err = call[nothing](ctx, d.cloud, OpDeposit, s.bearer, request)
		return err
	})
}

// takes tells whether a secret is what the provider wants for its escrow.
func (p Provider) takes(secret string) error {
	if p.Escrow.Secret != PIN {
		return nil
	}
	onlyDigits := strings.Trim(secret, "0123456789") == ""
	if onlyDigits && len(secret) < p.Escrow.Digits || len(secret) < 4 {
		return failure(WeakPasscode, "choose a longer one", "%s wants a PIN of %d digits, or a longer text", p.Name, p.Escrow.Digits)
	}
	return nil
}

// escrow makes an escrow record but for the wrapped domain key.
func (d *Device) escrow(account, passcode string) (*depositRequest, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	recovery, err := newP256(d.env.Rand)
	if err != nil {
		return nil, err
	}
	random, err := randomBytes(d.env.Rand, 16+nonceLen)
	if err != nil {
		return nil, err
	}
	salt, nonce := random[:16:16], random[16:]
	proof, key, err := passcodeKeys(passcode, salt, d.iterations())
	if err != nil {
		return nil, err
	}
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	return &depositRequest{
		Salt: salt, Iterations: d.iterations(), Proof: proof, PublicKey: recovery.PublicKey().Bytes(),
		Sealed: aead.Seal(nonce, nonce, recovery.Bytes(), bind("escrow", account, 0, "")),
	}, nil
}

// passcodeKeys derives from a passcode what proves it and what it encrypts with.
func passcodeKeys(passcode string, salt []byte, iterations int) (proof, key []byte, err error) {
	b, err := stretch(passcode, salt, iterations, 64)
	if err != nil {
		return nil, nil, err
	}
	return b[:32], b[32:], nil
}

// RecoverFromEscrow joins an account with its escrow passcode, without any of
// its devices. A wrong passcode is [WrongPasscode] with the tries left; after the
// last one the record is gone ([EscrowDestroyed]). The credentials come with the
// next Sync.
func (d *Device) RecoverFromEscrow(ctx context.Context, account, secret, passcode string) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	identity, l, err := d.prepare(account, secret)
	if err != nil {
		return err
	}
	params, err := knock[paramsResponse](ctx, d, OpParams, &l, func() any { return paramsRequest{l} })
	if err != nil {
		return err
	}
	if params.Iterations < minIterations || params.Iterations > maxIterations {
		return damaged("the escrow record wants %d iterations", params.Iterations)
	}
	proof, key, err := passcodeKeys(passcode, params.Salt, params.Iterations)
	if err != nil {
		return err
	}
	r, err := knock[openResponse](ctx, d, OpOpen, &l, func() any { return openRequest{l, proof, d.info(identity)} })
	if err != nil {
		return err
	}
	ring, err := openEscrow(l.Account, key, r)
	if err != nil {
		return err
	}
	return d.finish(ctx, l.Account, identity, r, ring)
}

// openEscrow unseals the recovery key and gets the domain keys with it.
func openEscrow(account string, key []byte, r *openResponse) (keyring, error) {
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	if len(r.Sealed) < nonceLen {
		return nil, damaged("the sealed recovery key is too short")
	}
	scalar, err := aead.Open(nil, r.Sealed[:nonceLen], r.Sealed[nonceLen:], bind("escrow", account, 0, ""))
	if err != nil {
		return nil, damaged("the sealed recovery key does not open")
	}
	recovery, err := ecdh.P256().NewPrivateKey(scalar)
	if err != nil {
		return nil, damaged("the sealed recovery key is not one")
	}
	return openRing(account, memberID(recovery.PublicKey().Bytes()), recovery, &r.Keys, nil)
}

// finish wraps the recovered domain key to this device.
func (d *Device) finish(ctx context.Context, account string, identity *ecdh.PrivateKey, r *openResponse, ring keyring) error {
	box, err := d.wrap(ring, account, identity.PublicKey().Bytes())
	if err != nil {
		return err
	}
	if _, err := call[nothing](ctx, d.cloud, OpFinish, r.Bearer, finishRequest{ring.epoch(), box}); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enter(account, identity, &r.admission)
	d.ring, d.joined = ring, true
	return d.commit()
}
