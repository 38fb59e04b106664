package platform

import (
	"context"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// Token is a pinUvAuthToken (section 6.5.5.7).
type Token struct {
	session *session
	key     []byte
}

// Protocol returns the PIN/UV auth protocol that the token belongs to.
func (t *Token) Protocol() pinuv.Protocol { return t.session.protocol }

// Authenticate returns the pinUvAuthParam of a message: which message is for the
// command to say.
func (t *Token) Authenticate(message []byte) []byte {
	return t.session.protocol.Authenticate(t.key, message)
}

// Need is what a token is wanted for.
type Need struct {
	Permissions ctap.Permissions
	RPID        string // required for the permissions mc and ga, else optional
}

// TokenUsingPIN obtains a token with a PIN: getPinUvAuthTokenUsingPinWithPermissions
// where the authenticator has it, getPinToken where it has not. A wrong PIN
// costs a try.
func (h *Host) TokenUsingPIN(ctx context.Context, pin string, need Need) (*Token, error) {
	info, err := h.Info(ctx)
	if err != nil {
		return nil, err
	}
	if info.ForcePINChange {
		return nil, ErrPINChangeRequired
	}
	if !info.Options["pinUvAuthToken"] {
		return h.LegacyToken(ctx, pin)
	}
	return h.tokenUsingPIN(ctx, "getPinUvAuthTokenUsingPinWithPermissions", ctap.GetTokenUsingPin, pin, &need)
}

// LegacyToken obtains a token with getPinToken (section 6.5.5.7.1), whose
// permissions are mc and ga.
func (h *Host) LegacyToken(ctx context.Context, pin string) (*Token, error) {
	return h.tokenUsingPIN(ctx, "getPinToken", ctap.GetPinToken, pin, nil)
}

// TokenUsingUV obtains a token with built-in user verification:
// getPinUvAuthTokenUsingUvWithPermissions (section 6.5.5.7.3). A user who is not
// recognised costs a try.
func (h *Host) TokenUsingUV(ctx context.Context, need Need) (*Token, error) {
	s, err := h.agree(ctx)
	if err != nil {
		return nil, err
	}
	r := s.request(ctap.GetTokenUsingUv)
	need.put(r)
	return s.token(ctx, "getPinUvAuthTokenUsingUvWithPermissions", r)
}

func (h *Host) tokenUsingPIN(ctx context.Context, doing string, subCommand uint, pin string, need *Need) (*Token, error) {
	pin, err := currentPIN(pin)
	if err != nil {
		return nil, err
	}
	s, err := h.agree(ctx)
	if err != nil {
		return nil, err
	}
	r := s.request(subCommand)
	if need != nil {
		need.put(r)
	}
	if r.PinHashEnc, err = s.encrypt(hash(pin)); err != nil {
		return nil, err
	}
	return s.token(ctx, doing, r)
}

func (n *Need) put(r *ctap.ClientPINRequest) {
	r.Permissions = &n.Permissions
	if n.RPID != "" {
		r.RPID = &n.RPID
	}
}

// token sends a request for a token and decrypts the answer.
func (s *session) token(ctx context.Context, doing string, r *ctap.ClientPINRequest) (*Token, error) {
	var got ctap.ClientPINResponse
	if err := s.host.clientPIN(ctx, doing, r, &got); err != nil {
		return nil, err
	}
	key, err := s.protocol.Decrypt(s.secret, got.PinUvAuthToken)
	if err != nil {
		return nil, broken(doing, "its token cannot be decrypted", err)
	}
	if n := len(key); n != pinuv.TokenSize && (n != 16 || s.protocol != pinuv.One) {
		return nil, broken(doing, fmt.Sprintf("a token of %d bytes", n), nil)
	}
	return &Token{s, key}, nil
}
