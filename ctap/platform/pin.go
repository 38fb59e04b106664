package platform

import (
	"context"
	"crypto/sha256"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// Lengths of a PIN (sections 6.5.1 and 6.4).
const (
	leastPINPoints = 4  // code points, where getInfo does not say
	mostPINBytes   = 63 // of UTF-8
	paddedPIN      = 64 // bytes on the wire
)

// PINRetries is the answer to getPINRetries (section 6.5.5.2).
type PINRetries struct {
	Left       uint // wrong PINs until the authenticator must be reset
	PowerCycle bool // it takes no PIN until its power was cut
}

// PINRetries tells how many PIN tries are left.
func (h *Host) PINRetries(ctx context.Context) (PINRetries, error) {
	const doing = "getPINRetries"
	var got ctap.ClientPINResponse
	if err := h.clientPIN(ctx, doing, &ctap.ClientPINRequest{SubCommand: ctap.GetPINRetries}, &got); err != nil {
		return PINRetries{}, err
	}
	if got.PINRetries == nil {
		return PINRetries{}, broken(doing, "no pinRetries", nil)
	}
	return PINRetries{*got.PINRetries, got.PowerCycleState != nil && *got.PowerCycleState}, nil
}

// UVRetries tells how many tries of built-in user verification are left (section
// 6.5.5.3).
func (h *Host) UVRetries(ctx context.Context) (uint, error) {
	const doing = "getUVRetries"
	var got ctap.ClientPINResponse
	if err := h.clientPIN(ctx, doing, &ctap.ClientPINRequest{SubCommand: ctap.GetUVRetries}, &got); err != nil {
		return 0, err
	}
	if got.UVRetries == nil {
		return 0, broken(doing, "no uvRetries", nil)
	}
	return *got.UVRetries, nil
}

// SetPIN sets the first PIN (section 6.5.5.5). Its length is checked before
// anything is sent.
func (h *Host) SetPIN(ctx context.Context, pin string) error {
	info, err := h.Info(ctx)
	if err != nil {
		return err
	}
	newPIN, err := newPIN(info, pin)
	if err != nil {
		return err
	}
	s, err := h.agree(ctx)
	if err != nil {
		return err
	}
	r := s.request(ctap.SetPIN)
	if r.NewPinEnc, err = s.encrypt(pad(newPIN)); err != nil {
		return err
	}
	r.PinUvAuthParam = s.protocol.Authenticate(s.secret, r.NewPinEnc)
	defer h.Forget()
	return h.clientPIN(ctx, "setPIN", r, nil)
}

// ChangePIN replaces the PIN (section 6.5.5.6). The new PIN's length is checked
// before anything is sent; a wrong old PIN costs a try.
func (h *Host) ChangePIN(ctx context.Context, old, pin string) error {
	info, err := h.Info(ctx)
	if err != nil {
		return err
	}
	oldPIN, err := currentPIN(old)
	if err != nil {
		return err
	}
	newPIN, err := newPIN(info, pin)
	if err != nil {
		return err
	}
	s, err := h.agree(ctx)
	if err != nil {
		return err
	}
	r := s.request(ctap.ChangePIN)
	if r.NewPinEnc, err = s.encrypt(pad(newPIN)); err != nil {
		return err
	}
	if r.PinHashEnc, err = s.encrypt(hash(oldPIN)); err != nil {
		return err
	}
	message := append(append([]byte(nil), r.NewPinEnc...), r.PinHashEnc...)
	r.PinUvAuthParam = s.protocol.Authenticate(s.secret, message)
	defer h.Forget()
	return h.clientPIN(ctx, "changePIN", r, nil)
}

// newPIN returns a PIN in normalisation form C, and refuses one that the
// authenticator would.
func newPIN(info *ctap.Info, pin string) (string, error) {
	pin, err := currentPIN(pin)
	if err != nil {
		return "", err
	}
	points := uint(utf8.RuneCountInString(pin))
	if points < info.MinPINLength {
		return "", tooShort(points, info.MinPINLength)
	}
	if info.MaxPINLength != 0 && points > info.MaxPINLength {
		return "", ErrPINTooLong
	}
	return pin, nil
}

// currentPIN returns a PIN in normalisation form C, and refuses one that no
// authenticator can have: too short before minPINLength was ever raised, or too
// long for the wire.
func currentPIN(pin string) (string, error) {
	if !utf8.ValidString(pin) || strings.ContainsRune(pin, 0) {
		return "", ErrPINEncoding
	}
	pin = norm.NFC.String(pin)
	if points := uint(utf8.RuneCountInString(pin)); points < leastPINPoints {
		return "", tooShort(points, leastPINPoints)
	}
	if len(pin) > mostPINBytes {
		return "", ErrPINTooLong
	}
	return pin, nil
}

func pad(pin string) []byte {
	padded := make([]byte, paddedPIN)
	copy(padded, pin)
	return padded
}

// hash returns LEFT(SHA-256(PIN), 16).
func hash(pin string) []byte {
	sum := sha256.Sum256([]byte(pin))
	return sum[:16]
}

// session is one key agreement with the authenticator (section 6.5.5.4).
type session struct {
	host     *Host
	protocol pinuv.Protocol
	public   []byte // the platform's COSE_Key
	secret   []byte
}

// agree performs the key agreement, with getInfo's preferred protocol.
func (h *Host) agree(ctx context.Context) (*session, error) {
	const doing = "getKeyAgreement"
	info, err := h.Info(ctx)
	if err != nil {
		return nil, err
	}
	p, err := protocol(info)
	if err != nil {
		return nil, err
	}
	var got ctap.ClientPINResponse
	r := &ctap.ClientPINRequest{PinUvAuthProtocol: p.Number(), SubCommand: ctap.GetKeyAgreement}
	if err := h.clientPIN(ctx, doing, r, &got); err != nil {
		return nil, err
	}
	if len(got.KeyAgreement) == 0 {
		return nil, broken(doing, "no keyAgreement", nil)
	}
	public, secret, err := pinuv.Encapsulate(p, got.KeyAgreement, h.rand)
	if err != nil {
		return nil, broken(doing, "its key cannot be used", err)
	}
	return &session{h, p, public, secret}, nil
}

// request begins a clientPIN request that rests on the session.
func (s *session) request(subCommand uint) *ctap.ClientPINRequest {
	return &ctap.ClientPINRequest{
		PinUvAuthProtocol: s.protocol.Number(),
		SubCommand:        subCommand,
		KeyAgreement:      s.public,
	}
}

func (s *session) encrypt(plaintext []byte) ([]byte, error) {
	return s.protocol.Encrypt(s.secret, plaintext, s.host.rand)
}

func (h *Host) clientPIN(ctx context.Context, doing string, r *ctap.ClientPINRequest, got *ctap.ClientPINResponse) error {
	doing = ctap.ClientPIN.String() + " " + doing
	if got == nil {
		return h.call(ctx, doing, ctap.ClientPIN, r, nil)
	}
	return h.call(ctx, doing, ctap.ClientPIN, r, got)
}
