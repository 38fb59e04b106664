package authenticator

import (
	"context"
	"encoding/binary"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// The instructions and status words of U2F (FIDO U2F Raw Message Formats 1.2;
// CTAP 2.3, section 7).
const (
	u2fRegister     = 0x01
	u2fAuthenticate = 0x02
	u2fVersion      = 0x03

	u2fEnforce    = 0x03 // control byte: enforce-user-presence-and-sign
	u2fCheckOnly  = 0x07
	u2fDontNeedUP = 0x08

	swOK             uint16 = 0x9000
	swWrongLength    uint16 = 0x6700
	swNotSatisfied   uint16 = 0x6985 // a touch is needed
	swNotAllowed     uint16 = 0x6986
	swWrongData      uint16 = 0x6A80 // not a key handle of this device
	swInsUnsupported uint16 = 0x6D00
	swClaUnsupported uint16 = 0x6E00
	swInternal       uint16 = 0x6F00
)

// U2FAttestation is an [Attestation] that can also attest to U2F registrations.
type U2FAttestation interface {
	// AttestU2F signs message with the attestation key, ECDSA P-256 with SHA-256 in
	// DER, and returns the certificate of that key in DER.
	AttestU2F(message []byte) (certificate, signature []byte, err error)
}

// HasU2F tells whether the authenticator answers U2F messages now; it does not
// while user verification is always required (section 7.2).
func (a *Authenticator) HasU2F() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.u2f()
}

func (a *Authenticator) u2f() bool { return a.profile.U2F && !a.device.AlwaysUV }

// Message answers one U2F request message, an APDU in short or extended form, with
// its response and status word. It never waits for the user: platforms repeat a
// request until there was a touch. An error means what it means in Exchange.
func (a *Authenticator) Message(ctx context.Context, apdu []byte) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.boot.pending, a.boot.enumeration = pending{}, enumeration{}
	return a.quirks.message(ctx, a, apdu)
}

// respond is Message of an authenticator that keeps to the specification.
func (a *Authenticator) respond(ctx context.Context, apdu []byte) ([]byte, error) {
	data, sw, err := a.message(ctx, apdu)
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint16(data, sw), nil
}

func (a *Authenticator) message(ctx context.Context, apdu []byte) ([]byte, uint16, error) {
	if len(apdu) < 4 {
		return nil, swWrongLength, nil
	}
	data, ok := apduData(apdu)
	switch {
	case !ok:
		return nil, swWrongLength, nil
	case apdu[0] != 0:
		return nil, swClaUnsupported, nil
	case !a.profile.U2F:
		return nil, swInsUnsupported, nil
	case !a.u2f():
		return nil, swNotAllowed, nil
	}
	switch apdu[1] {
	case u2fRegister:
		return a.u2fRegister(ctx, data)
	case u2fAuthenticate:
		return a.u2fAuthenticate(ctx, apdu[2], data)
	case u2fVersion:
		if len(data) > 0 {
			return nil, swWrongLength, nil
		}
		return []byte("U2F_V2"), swOK, nil
	}
	return nil, swInsUnsupported, nil
}

// apduData returns the data of a command APDU (ISO 7816-4, section 5.1), in short or
// extended form, with or without Le.
func apduData(apdu []byte) ([]byte, bool) {
	body := apdu[4:]
	switch {
	case len(body) <= 1: // nothing, or a short Le
		return nil, true
	case body[0] != 0: // short Lc
		n := int(body[0])
		return body[1:min(1+n, len(body))], len(body) == 1+n || len(body) == 2+n
	case len(body) == 3: // an extended Le alone
		return nil, true
	case len(body) < 3:
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(body[1:3]))
	rest := body[3:]
	if len(rest) != n && len(rest) != n+2 {
		return nil, false
	}
	return rest[:n], true
}

// u2fTouch asks whether the user has touched, without waiting.
func (a *Authenticator) u2fTouch(ctx context.Context, c ctap.Command) bool {
	return a.env.User.Presence(ctx, Prompt{Command: c, Poll: true}) == Granted
}

// u2fRegister is U2F_REGISTER: data is challenge(32) ‖ application(32). The key
// handle is a credential sealed into its id, which CTAP2 can use, too. It has no
// protection even where DefaultCredProtect says more: with the policy
// userVerificationRequired it could not be used over U2F, which never verifies the user,
// and the other asks for a list of credentials, as every U2F authentication is.
func (a *Authenticator) u2fRegister(ctx context.Context, data []byte) ([]byte, uint16, error) {
	if len(data) != 64 {
		return nil, swWrongLength, nil
	}
	attestation, ok := a.env.Attestation.(U2FAttestation)
	if !ok {
		return nil, swInternal, nil
	}
	if !a.u2fTouch(ctx, ctap.MakeCredential) {
		return nil, swNotSatisfied, nil
	}
	challenge, application := data[:32], data[32:]
	handle, public, err := a.env.Keys.Generate(cose.ES256)
	if err != nil {
		return nil, 0, err
	}
	id, err := a.seal([32]byte(application), &Credential{Algorithm: cose.ES256, KeyHandle: handle}, false)
	if err != nil || id == nil || len(id) > 255 {
		return nil, swInternal, err
	}
	point, err := cose.Point(public)
	if err != nil {
		return nil, 0, err
	}
	message := concat([]byte{0}, application, challenge, id, point)
	certificate, signature, err := attestation.AttestU2F(message)
	if err != nil {
		return nil, 0, err
	}
	return concat([]byte{5}, point, []byte{byte(len(id))}, id, certificate, signature), swOK, nil
}

// u2fAuthenticate is U2F_AUTHENTICATE: data is challenge(32) ‖ application(32) ‖
// length(1) ‖ key handle.
func (a *Authenticator) u2fAuthenticate(ctx context.Context, control byte, data []byte) ([]byte, uint16, error) {
	if len(data) < 65 || len(data) != 65+int(data[64]) {
		return nil, swWrongLength, nil
	}
	challenge, application, id := data[:32], data[32:64], data[65:]
	credential, err := a.open([32]byte(application), "", id)
	if err != nil {
		return nil, 0, err
	}
	if credential == nil || credential.Algorithm != cose.ES256 || credential.Protection >= protectUV {
		return nil, swWrongData, nil
	}
	var presence byte
	switch control {
	case u2fCheckOnly:
		return nil, swNotSatisfied, nil
	case u2fEnforce:
		if !a.u2fTouch(ctx, ctap.GetAssertion) {
			return nil, swNotSatisfied, nil
		}
		presence = 1
	case u2fDontNeedUP:
	default:
		return nil, swWrongData, nil
	}
	count, err := a.nextCount()
	if err != nil {
		return nil, 0, err
	}
	head := binary.BigEndian.AppendUint32([]byte{presence}, count)
	signature, err := a.env.Keys.Sign(cose.ES256, credential.KeyHandle, concat(application, head, challenge))
	if err != nil {
		return nil, 0, err
	}
	return append(head, signature...), swOK, nil
}

func concat(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
