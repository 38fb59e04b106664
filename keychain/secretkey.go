package keychain

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
)

// Two-secret key derivation, in outline as in AgileBits' 1Password Security Design: what
// the account password is stretched to and what the Secret Key expands to are combined by
// exclusive or, so that either alone leads nowhere.

// SecretKey returns the Secret Key that the device keeps, such as A3-XXXXXX-XXXXXX-…,
// empty where it has none.
func (d *Device) SecretKey() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return shownSecretKey(d.secretKey)
}

func shownSecretKey(key string) string {
	if key == "" {
		return ""
	}
	return "A3-" + grouped(key, 6)
}

// normalSecretKey leaves out dashes, and the version in front.
func normalSecretKey(key string) string {
	key = normalCode(key)
	if len(key) == secretKeyLen+2 {
		return key[2:]
	}
	return key
}

// secretSpare makes the spare key of a Secret Key and the account password.
func (d *Device) secretSpare(account, secret, secretKey string) (spareRequest, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	made, err := d.newSpare(BySecretKey)
	if err != nil {
		return spareRequest{}, err
	}
	made.request.Iterations = d.iterations()
	keys, err := unlockKeys(account, secret, secretKey, made.request.Salt, made.request.Iterations)
	if err != nil {
		return spareRequest{}, err
	}
	return made.request, made.seal(d, account, keys)
}

// unlockKeys derives proof and key, 32 bytes each, from both secrets.
func unlockKeys(account, secret, secretKey string, salt []byte, iterations int) ([]byte, error) {
	keys, err := stretch(secret, salt, iterations, 64)
	if err != nil {
		return nil, err
	}
	pad, err := hkdf.Key(sha256.New, []byte(secretKey), salt, "fido-emu keychain secret key "+account, 64)
	if err != nil {
		return nil, err
	}
	subtle.XORBytes(keys, keys, pad)
	return keys, nil
}

// RecoverWithSecretKey joins an account with its password and its Secret Key, as typed or
// handed on by another device.
func (d *Device) RecoverWithSecretKey(ctx context.Context, account, secret, secretKey string) error {
	key := normalSecretKey(secretKey)
	err := d.takeSpare(ctx, account, secret, string(BySecretKey), func(p *spareParams) ([]byte, error) {
		if p.Iterations < minIterations {
			return nil, damaged("the account wants %d iterations", p.Iterations)
		}
		return unlockKeys(accountID(account), secret, key, p.Salt, p.Iterations)
	}, nil)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.secretKey = key
	return d.commit()
}

// RenewSecretKey makes a new Secret Key, in place of an earlier one: who has that alone
// cannot join any more. secret is the account's.
func (d *Device) RenewSecretKey(ctx context.Context, secret string) (string, error) {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return "", err
	}
	if err := d.leaveSecretKey(ctx, &s, secret, ""); err != nil {
		return "", err
	}
	return d.SecretKey(), nil
}

// leaveSecretKey leaves the spare key of a Secret Key, of a new one where it is empty.
// d.talking is held.
func (d *Device) leaveSecretKey(ctx context.Context, s *session, secret, key string) error {
	r, key, err := d.keySpare(s.account, secret, key)
	if err != nil {
		return err
	}
	if err := d.leave(ctx, s, r); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.secretKey = key
	return d.commit()
}

// ChangeSecret gives the account a new secret. Who has the old one can sign in no more;
// devices stay members. Where a Secret Key goes with the secret, a device that has none
// makes a new one.
func (d *Device) ChangeSecret(ctx context.Context, secret string) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	s, err := d.session()
	if err != nil {
		return err
	}
	request := secretRequest{}
	if request.Proof, err = d.loginProof(s.account, secret); err != nil {
		return err
	}
	var key string
	if d.rules().Allows(BySecretKey) {
		spare, made, err := d.keySpare(s.account, secret, normalSecretKey(d.SecretKey()))
		if err != nil {
			return err
		}
		key, request.Spares = made, []spareRequest{spare}
	}
	err = d.atEpoch(ctx, &s, func() error {
		for i := range request.Spares {
			if err := d.wrapSpare(s.ring, s.account, &request.Spares[i]); err != nil {
				return err
			}
		}
		_, err := call[nothing](ctx, d.cloud, OpSecret, s.bearer, request)
		return err
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.secretKey = key
	return d.commit()
}

// keySpare makes the spare key of a Secret Key, of a new one where it is empty.
func (d *Device) keySpare(account, secret, key string) (r spareRequest, used string, err error) {
	if key == "" {
		d.mu.Lock()
		key, err = randomText(d.env.Rand, secretKeyLen)
		d.mu.Unlock()
		if err != nil {
			return r, "", err
		}
	}
	r, err = d.secretSpare(account, secret, key)
	return r, key, err
}

// rules returns the provider's rules, as the device knows them.
func (d *Device) rules() Provider {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.provider
}
