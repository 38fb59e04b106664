package platform

import (
	"context"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// saltSize is that of a salt and of an output of the hmac-secret extension.
const saltSize = 32

// HMACSecret is one use of the hmac-secret extension (section 12.5): one or two
// salts go to the authenticator encrypted, and as many outputs come back.
type HMACSecret struct {
	session *session
	salts   []byte
	input   cbor.RawMessage
}

// hmacSecretInput is the extension's input to authenticatorGetAssertion, and that
// of hmac-secret-mc to authenticatorMakeCredential.
type hmacSecretInput struct {
	KeyAgreement      cbor.RawMessage `cbor:"1,keyasint"`
	SaltEnc           []byte          `cbor:"2,keyasint"`
	SaltAuth          []byte          `cbor:"3,keyasint"`
	PinUvAuthProtocol uint            `cbor:"4,keyasint,omitzero"`
}

// HMACSecret prepares one use of the extension. salt2 is nil for one salt; a salt
// has 32 bytes. A token's key agreement is used again; without a token there is
// one more exchange.
func (h *Host) HMACSecret(ctx context.Context, token *Token, salt1, salt2 []byte) (*HMACSecret, error) {
	if len(salt1) != saltSize || (salt2 != nil && len(salt2) != saltSize) {
		return nil, fmt.Errorf("hmac-secret: salts of %d and %d bytes, want %d", len(salt1), len(salt2), saltSize)
	}
	var s *session
	if token != nil {
		s = token.session
	} else {
		var err error
		if s, err = h.agree(ctx); err != nil {
			return nil, err
		}
	}
	salts := append(append([]byte(nil), salt1...), salt2...)
	return s.hmacSecret(salts)
}

func (s *session) hmacSecret(salts []byte) (*HMACSecret, error) {
	enc, err := s.encrypt(salts)
	if err != nil {
		return nil, err
	}
	in := hmacSecretInput{KeyAgreement: s.public, SaltEnc: enc, SaltAuth: s.protocol.Authenticate(s.secret, enc)}
	if n := s.protocol.Number(); n != 1 { // absent stands for 1, and older authenticators know no member 4
		in.PinUvAuthProtocol = n
	}
	input, err := ctap.Encode(in)
	return &HMACSecret{s, salts, input}, err
}

// Input returns the extension's input.
func (x *HMACSecret) Input() cbor.RawMessage { return x.input }

// Open decrypts the extension's output. second is nil for one salt.
func (x *HMACSecret) Open(output cbor.RawMessage) (first, second []byte, err error) {
	const doing = "hmac-secret"
	var enc ctap.Bytes
	if err := ctap.DecodeLoose(output, &enc); err != nil {
		return nil, nil, broken(doing, "its output is no byte string", err)
	}
	plain, err := x.session.protocol.Decrypt(x.session.secret, enc)
	if err != nil {
		return nil, nil, broken(doing, "its output cannot be decrypted", err)
	}
	if len(plain) != len(x.salts) {
		return nil, nil, broken(doing, fmt.Sprintf("%d bytes of output for %d of salt", len(plain), len(x.salts)), nil)
	}
	first = plain[:saltSize]
	if len(plain) > saltSize {
		second = plain[saltSize:]
	}
	return first, second, nil
}
