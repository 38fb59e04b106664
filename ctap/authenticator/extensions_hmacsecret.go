package authenticator

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// hmacSecretSize is the size in bytes of one CredRandom.
const hmacSecretSize = 32

// hmacSecretInput is the input of hmac-secret, decrypted.
type hmacSecretInput struct {
	protocol pinuv.Protocol
	secret   []byte // shared with the platform
	salts    []byte // one or two of 32 bytes
}

// makeHMACSecret is hmac-secret in makeCredential (section 12.7).
func (a *Authenticator) makeHMACSecret(_ *ceremony, x *makeExtensions, raw cbor.RawMessage) (err error) {
	if x.hmacSecret, err = flag(raw); err == nil && x.hmacSecret {
		x.outputs[ExtHMACSecret] = true
	}
	return err
}

// makeHMACSecretMC is hmac-secret-mc (section 12.8), which comes with hmac-secret or
// not at all.
func (a *Authenticator) makeHMACSecretMC(_ *ceremony, x *makeExtensions, raw cbor.RawMessage) (err error) {
	if !x.hmacSecret {
		return ctap.ErrMissingParameter
	}
	x.hmacInput, err = a.parseHMACSecret(raw)
	return err
}

// getHMACSecret is hmac-secret in getAssertion (section 12.7). The secret is never
// given out without the user.
func (a *Authenticator) getHMACSecret(c *ceremony, credential *Credential, x *getExtensions, raw cbor.RawMessage) error {
	if !c.up {
		return ctap.ErrUnsupportedOption
	}
	input, err := a.parseHMACSecret(raw)
	if err != nil || credential.HMACSecret == nil {
		return err
	}
	secret, err := a.hmacSecretOutput(c, credential, input)
	x.outputs[ExtHMACSecret] = secret
	return err
}

// parseHMACSecret reads and decrypts the input of hmac-secret in getAssertion and
// of hmac-secret-mc.
func (a *Authenticator) parseHMACSecret(raw []byte) (*hmacSecretInput, error) {
	var in struct {
		KeyAgreement cbor.RawMessage `cbor:"1,keyasint"`
		SaltEnc      ctap.Bytes      `cbor:"2,keyasint"`
		SaltAuth     ctap.Bytes      `cbor:"3,keyasint"`
		Protocol     uint            `cbor:"4,keyasint"`
	}
	if err := ctap.DecodeLoose(raw, &in); err != nil {
		return nil, err
	}
	if in.KeyAgreement == nil || in.SaltEnc == nil || in.SaltAuth == nil {
		return nil, ctap.ErrMissingParameter
	}
	if in.Protocol == 0 {
		in.Protocol = 1
	}
	p, secret, err := a.decapsulate(in.Protocol, in.KeyAgreement)
	if err != nil {
		return nil, err
	}
	if !p.Verify(secret, in.SaltEnc, in.SaltAuth) {
		return nil, ctap.ErrPINAuthInvalid
	}
	salts, err := p.Decrypt(secret, in.SaltEnc)
	if errors.Is(err, pinuv.ErrCiphertext) || (err == nil && len(salts) != 32 && len(salts) != 64) {
		return nil, ctap.ErrInvalidParameter
	}
	return &hmacSecretInput{protocol: p, secret: secret, salts: salts}, err
}

// hmacSecretOutput is HMAC-SHA-256(CredRandom, salt) for each salt, encrypted to
// the platform. Which CredRandom it is depends on whether the user was verified.
func (a *Authenticator) hmacSecretOutput(c *ceremony, credential *Credential, in *hmacSecretInput) ([]byte, error) {
	credRandom := credential.HMACSecret[hmacSecretSize:]
	if c.verified {
		credRandom = credential.HMACSecret[:hmacSecretSize]
	}
	var plain []byte
	for salts := in.salts; len(salts) > 0; salts = salts[32:] {
		m := hmac.New(sha256.New, credRandom)
		m.Write(salts[:32])
		plain = m.Sum(plain)
	}
	return in.protocol.Encrypt(in.secret, plain, a.env.Rand)
}

// deriveHMACSecret returns the CredRandomWithUV ‖ CredRandomWithoutUV of a
// credential that is sealed into its id.
func (a *Authenticator) deriveHMACSecret(id []byte) []byte {
	derive := func(label string) []byte {
		m := hmac.New(sha256.New, a.device.WrapKey)
		m.Write([]byte(label))
		m.Write(id)
		return m.Sum(nil)
	}
	return append(derive("CredRandomWithUV"), derive("CredRandomWithoutUV")...)
}
