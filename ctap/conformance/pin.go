package conformance

import (
	"crypto/sha256"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// PIN is the PIN that is set in the state WithPIN.
func (r *Run) PIN() string { return r.bench.knownPIN() }

// Info returns what authenticatorGetInfo says; it is asked for once in a case, and
// again after a power cycle.
func (r *Run) Info() *ctap.Info {
	if r.info == nil {
		return r.FreshInfo()
	}
	return r.info
}

// FreshInfo asks authenticatorGetInfo again, and returns as much as can be read.
func (r *Run) FreshInfo() *ctap.Info {
	reply := r.Send(ctap.GetInfo, nil).OK()
	if r.info, _ = readInfo(reply.Body); r.info == nil {
		reply.mismatch("the answer cannot be read", "a map with integer keys", fmt.Sprintf("%x", reply.Body))
	}
	return r.info
}

// Protocol returns the PIN/UV auth protocol that the authenticator prefers.
func (r *Run) Protocol() pinuv.Protocol {
	all := protocols(r.Info())
	r.Require(len(all) > 0, "getInfo lists no PIN/UV auth protocol")
	p, ok := pinuv.ByNumber(all[0])
	r.Require(ok, "getInfo prefers PIN/UV auth protocol %d, which there is not", all[0])
	return p
}

// Secret is what a platform and the authenticator have agreed on (section 6.5.6).
type Secret struct {
	pinuv.Protocol
	KeyAgreement cbor.RawMessage // the platform's COSE_Key, for the request
	key          []byte
	run          *Run
}

// Agree asks for the authenticator's key agreement key and agrees on a secret.
func (r *Run) Agree(p pinuv.Protocol) *Secret {
	var answer ctap.ClientPINResponse
	r.Send(ctap.ClientPIN, M{1: p.Number(), 2: ctap.GetKeyAgreement}).OK().Into(&answer)
	public, key, err := pinuv.Encapsulate(p, answer.KeyAgreement, r.Rand())
	r.Require(err == nil, "getKeyAgreement: %v in %x", err, []byte(answer.KeyAgreement))
	return &Secret{Protocol: p, KeyAgreement: public, key: key, run: r}
}

// Encrypt encrypts under the secret; the length is a multiple of 16.
func (s *Secret) Encrypt(plaintext []byte) []byte {
	b, err := s.Protocol.Encrypt(s.key, plaintext, s.run.Rand())
	s.run.Broken(err)
	return b
}

// Decrypt decrypts what the authenticator sent; the case fails when it cannot be.
func (s *Secret) Decrypt(ciphertext []byte) []byte {
	b, err := s.Protocol.Decrypt(s.key, ciphertext)
	s.run.Require(err == nil, "what the authenticator encrypted is %d bytes long", len(ciphertext))
	return b
}

// MAC authenticates the parts, one after the other, with the secret.
func (s *Secret) MAC(parts ...[]byte) []byte { return s.Authenticate(s.key, join(parts)) }

func join(parts [][]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// PadPIN is a PIN in UTF-8 with zeros up to 64 bytes, as newPinEnc holds it. A longer
// one is padded to the next multiple of 64, which no authenticator may take.
func PadPIN(pin string) []byte {
	b := make([]byte, max(64, (len(pin)+63)/64*64))
	copy(b, pin)
	return b
}

// HashPIN is LEFT(SHA-256(PIN), 16), as pinHashEnc holds it.
func HashPIN(pin string) []byte {
	h := sha256.Sum256([]byte(pin))
	return h[:16]
}

// SetPINParams are the parameters of setPIN (section 6.5.5.5).
func (s *Secret) SetPINParams(pin string) M {
	newPinEnc := s.Encrypt(PadPIN(pin))
	return M{1: s.Number(), 2: ctap.SetPIN, 3: s.KeyAgreement, 4: s.MAC(newPinEnc), 5: newPinEnc}
}

// ChangePINParams are the parameters of changePIN (section 6.5.5.6).
func (s *Secret) ChangePINParams(old, pin string) M {
	newPinEnc, pinHashEnc := s.Encrypt(PadPIN(pin)), s.Encrypt(HashPIN(old))
	return M{
		1: s.Number(), 2: ctap.ChangePIN, 3: s.KeyAgreement,
		4: s.MAC(newPinEnc, pinHashEnc), 5: newPinEnc, 6: pinHashEnc,
	}
}

// GetPinTokenParams are the parameters of getPinToken (section 6.5.5.7.1).
func (s *Secret) GetPinTokenParams(pin string) M {
	return M{1: s.Number(), 2: ctap.GetPinToken, 3: s.KeyAgreement, 6: s.Encrypt(HashPIN(pin))}
}

// TokenUsingPINParams are the parameters of
// getPinUvAuthTokenUsingPinWithPermissions (section 6.5.5.7.2). rpID is left out when
// empty.
func (s *Secret) TokenUsingPINParams(pin string, permissions ctap.Permissions, rpID string) M {
	return permitted(s.GetPinTokenParams(pin).With(2, ctap.GetTokenUsingPin), permissions, rpID)
}

// TokenUsingUVParams are the parameters of getPinUvAuthTokenUsingUvWithPermissions
// (section 6.5.5.7.3).
func (s *Secret) TokenUsingUVParams(permissions ctap.Permissions, rpID string) M {
	return permitted(M{1: s.Number(), 2: ctap.GetTokenUsingUv, 3: s.KeyAgreement}, permissions, rpID)
}

func permitted(m M, permissions ctap.Permissions, rpID string) M {
	m = m.With(9, permissions)
	if rpID != "" {
		m = m.With(10, rpID)
	}
	return m
}

// SetPIN sets a PIN where there is none; the case fails when it is refused.
func (r *Run) SetPIN(pin string) {
	r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).SetPINParams(pin)).OK()
	r.bench.learnPIN(pin)
	r.info = nil
}

// ChangePIN changes the PIN; the case fails when it is refused.
func (r *Run) ChangePIN(old, pin string) {
	r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).ChangePINParams(old, pin)).OK()
	r.bench.learnPIN(pin)
	r.info = nil
}

// LearnPIN says that a PIN was set by requests of the case's own, so that the runner
// can go on with it.
func (r *Run) LearnPIN(pin string) {
	r.bench.learnPIN(pin)
	r.info = nil
}

// PINRetries asks how many tries are left, and whether a power cycle is needed first.
func (r *Run) PINRetries() (left uint, powerCycle bool) {
	var answer ctap.ClientPINResponse
	r.Send(ctap.ClientPIN, M{1: r.Protocol().Number(), 2: ctap.GetPINRetries}).OK().Into(&answer)
	r.Require(answer.PINRetries != nil, "getPINRetries answers without pinRetries")
	return *answer.PINRetries, answer.PowerCycleState != nil && *answer.PowerCycleState
}

// WrongPIN is a PIN that is not set.
const WrongPIN = "0000000000"

// TryWrongPIN asks for a token with a wrong PIN and returns the answer.
func (r *Run) TryWrongPIN(p pinuv.Protocol) *Reply {
	s := r.Agree(p)
	if Is21(r.Info()) && r.Info().Options["pinUvAuthToken"] {
		return r.Send(ctap.ClientPIN, s.TokenUsingPINParams(WrongPIN, ctap.PermGetAssertion, RPID))
	}
	return r.Send(ctap.ClientPIN, s.GetPinTokenParams(WrongPIN))
}

// Token is a pinUvAuthToken.
type Token struct {
	pinuv.Protocol
	Value []byte
}

// MAC authenticates the parts, one after the other, with the token.
func (t *Token) MAC(parts ...[]byte) []byte { return t.Authenticate(t.Value, join(parts)) }

// ReadToken takes the token out of the answer to a request for one.
func (s *Secret) ReadToken(reply *Reply) *Token {
	var answer ctap.ClientPINResponse
	reply.OK().Into(&answer)
	s.run.Require(len(answer.PinUvAuthToken) > 0, "%s answers without pinUvAuthToken", reply.asked)
	return &Token{Protocol: s.Protocol, Value: s.Decrypt(answer.PinUvAuthToken)}
}

// Token gets a token with permissions, by the PIN where one is set and may give them,
// and else by built-in user verification; from an authenticator without permissions, a token
// with those of the old kind. rpID may be empty. The case fails when it is refused.
func (r *Run) Token(permissions ctap.Permissions, rpID string) *Token {
	return r.TokenOf(r.Protocol(), permissions, rpID)
}

// TokenOf is [Run.Token] with a protocol of choice.
func (r *Run) TokenOf(p pinuv.Protocol, permissions ctap.Permissions, rpID string) *Token {
	s, o := r.Agree(p), r.Info().Options
	switch {
	case !o["pinUvAuthToken"]:
		return s.ReadToken(r.Send(ctap.ClientPIN, s.GetPinTokenParams(r.PIN())))
	case o["clientPin"] && !(o["uv"] && o["noMcGaPermissionsWithClientPin"] && permissions&(ctap.PermMakeCredential|ctap.PermGetAssertion) != 0):
		return s.ReadToken(r.Send(ctap.ClientPIN, s.TokenUsingPINParams(r.PIN(), permissions, rpID)))
	}
	return s.ReadToken(r.Send(ctap.ClientPIN, s.TokenUsingUVParams(permissions, rpID)))
}

// Protected tells whether some form of user verification is configured: a PIN, or
// built-in.
func (r *Run) Protected() bool {
	o := r.Info().Options
	return o["clientPin"] || o["uv"]
}

// BothProtocols makes a case of each PIN/UV auth protocol: the id with .v1 and .v2
// behind it, a Need for the protocol, and Run with it.
func BothProtocols(c Case, run func(r *Run, p pinuv.Protocol)) []Case {
	return Each([]pinuv.Protocol{pinuv.One, pinuv.Two}, func(p pinuv.Protocol) Case {
		v := c
		v.ID = fmt.Sprintf("%s.v%d", c.ID, p.Number())
		v.Needs = append([]Need{Protocol(p.Number())}, c.Needs...)
		v.Run = func(r *Run) { run(r, p) }
		return v
	})
}
