package authenticator

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// The extensions that an authenticator can have (section 12).
const (
	ExtCredProtect  = "credProtect"
	ExtHMACSecret   = "hmac-secret"
	ExtHMACSecretMC = "hmac-secret-mc"
	ExtMinPinLength = "minPinLength"
)

// The policies of credProtect (section 12.1); 0 in a Credential is protectOptional.
const (
	protectOptional = 1 // userVerificationOptional
	protectWithList = 2 // userVerificationOptionalWithCredentialIDList
	protectUV       = 3 // userVerificationRequired
)

// hmacSecretSize is the size in bytes of one CredRandom.
const hmacSecretSize = 32

// makeExtensions is what the extensions of one makeCredential come to.
type makeExtensions struct {
	protection  uint8
	credProtect bool // was asked for, so it is answered
	hmacSecret  bool
	hmacInput   *hmacSecretInput // of hmac-secret-mc; nil without
	minPIN      uint             // to be told; 0: not
}

// makeCredentialExtensions reads the inputs of those extensions that the profile
// has; all others are ignored.
func (a *Authenticator) makeCredentialExtensions(c *ceremony, inputs map[string]cbor.RawMessage) (*makeExtensions, error) {
	x := &makeExtensions{}
	if raw, ok := inputs[ExtCredProtect]; ok && a.profile.hasExtension(ExtCredProtect) {
		if err := ctap.DecodeLoose(raw, &x.protection); err != nil {
			return nil, err
		}
		if x.protection < protectOptional || x.protection > protectUV {
			return nil, ctap.ErrInvalidParameter
		}
		x.credProtect = true
	}
	if raw, ok := inputs[ExtHMACSecret]; ok && a.profile.hasExtension(ExtHMACSecret) {
		if err := ctap.DecodeLoose(raw, &x.hmacSecret); err != nil {
			return nil, err
		}
	}
	if raw, ok := inputs[ExtMinPinLength]; ok && a.profile.hasExtension(ExtMinPinLength) {
		var asked bool
		if err := ctap.DecodeLoose(raw, &asked); err != nil {
			return nil, err
		}
		if asked && a.toldMinPINLength(c.rpID) {
			x.minPIN = a.device.MinPINLength
		}
	}
	if raw, ok := inputs[ExtHMACSecretMC]; ok && a.profile.hasExtension(ExtHMACSecretMC) {
		if !x.hmacSecret {
			return nil, ctap.ErrMissingParameter
		}
		var err error
		if x.hmacInput, err = a.parseHMACSecret(raw); err != nil {
			return nil, err
		}
	}
	return x, nil
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

// outputs returns the extension outputs of makeCredential in CBOR, nil for none.
func (x *makeExtensions) outputs(a *Authenticator, c *ceremony, credential *Credential) (cbor.RawMessage, error) {
	if !x.credProtect && !x.hmacSecret && x.minPIN == 0 {
		return nil, nil
	}
	outputs := map[string]any{}
	if x.credProtect {
		outputs[ExtCredProtect] = x.protection
	}
	if x.hmacSecret {
		outputs[ExtHMACSecret] = true
	}
	if x.minPIN != 0 {
		outputs[ExtMinPinLength] = x.minPIN
	}
	if x.hmacInput != nil {
		secret, err := a.hmacSecretOutput(c, credential, x.hmacInput)
		if err != nil {
			return nil, err
		}
		outputs[ExtHMACSecretMC] = secret
	}
	return ctap.Encode(outputs)
}

// assertionExtensions returns the extension outputs of getAssertion in CBOR, nil
// for none.
func (a *Authenticator) assertionExtensions(c *ceremony, credential *Credential, inputs map[string]cbor.RawMessage) (cbor.RawMessage, error) {
	raw, ok := inputs[ExtHMACSecret]
	if !ok || !a.profile.hasExtension(ExtHMACSecret) {
		return nil, nil
	}
	input, err := a.parseHMACSecret(raw)
	if err != nil {
		return nil, err
	}
	if !c.up { // the secret is never given out without the user
		return nil, ctap.ErrUnsupportedOption
	}
	if credential.HMACSecret == nil {
		return nil, nil
	}
	secret, err := a.hmacSecretOutput(c, credential, input)
	if err != nil {
		return nil, err
	}
	return ctap.Encode(map[string]any{ExtHMACSecret: secret})
}

// hmacSecretInput is the input of hmac-secret, decrypted.
type hmacSecretInput struct {
	protocol pinuv.Protocol
	secret   []byte // shared with the platform
	salts    []byte // one or two of 32 bytes
}

// parseHMACSecret reads and decrypts the input of hmac-secret in getAssertion and
// of hmac-secret-mc (sections 12.7 and 12.8).
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
