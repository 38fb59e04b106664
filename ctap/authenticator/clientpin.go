package authenticator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// maxWrongPINs is how many wrong PINs in a row are taken before a power cycle is
// needed.
const maxWrongPINs = 3

// paddedPIN is the size in bytes of a PIN on its way, padded with zeros.
const paddedPIN = 64

// clientPIN answers authenticatorClientPIN (section 6.5.5).
func (a *Authenticator) clientPIN(ctx context.Context, params []byte) (any, error) {
	if !a.profile.ClientPIN && !a.profile.tokens() {
		return nil, ctap.ErrInvalidCommand
	}
	var r ctap.ClientPINRequest
	if err := ctap.Decode(params, &r); err != nil {
		return nil, err
	}
	if r.SubCommand == 0 {
		return nil, ctap.ErrMissingParameter
	}
	if r.PinUvAuthProtocol != 0 && !a.profile.hasProtocol(r.PinUvAuthProtocol) {
		return nil, ctap.ErrInvalidParameter
	}
	switch r.SubCommand {
	case ctap.GetKeyAgreement:
		return answered(a.getKeyAgreement(&r))
	case ctap.GetTokenUsingUv:
		return answered(a.tokenUsingUV(ctx, &r))
	case ctap.GetUVRetries:
		return answered(a.getUVRetries())
	}
	if !a.profile.ClientPIN {
		return nil, ctap.ErrInvalidSubcommand
	}
	switch r.SubCommand {
	case ctap.GetPINRetries:
		return answered(a.getPINRetries())
	case ctap.SetPIN:
		return nil, a.setPIN(&r)
	case ctap.ChangePIN:
		return nil, a.changePIN(&r)
	case ctap.GetPinToken:
		return answered(a.getPinToken(&r))
	case ctap.GetTokenUsingPin:
		return answered(a.tokenUsingPIN(&r))
	}
	return nil, ctap.ErrInvalidSubcommand
}

// getPINRetries is section 6.5.5.2, which has no error for a PIN that is not set.
func (a *Authenticator) getPINRetries() (*ctap.ClientPINResponse, error) {
	if a.profile.PINRetriesNeedPIN && !a.pinSet() {
		return nil, ctap.ErrPINNotSet
	}
	retries, latched := a.device.PINRetries, a.boot.wrongPINs >= maxWrongPINs
	return &ctap.ClientPINResponse{PINRetries: &retries, PowerCycleState: &latched}, nil
}

// getUVRetries is section 6.5.5.3.
func (a *Authenticator) getUVRetries() (*ctap.ClientPINResponse, error) {
	if a.profile.BuiltInUV == NoBuiltInUV {
		return nil, ctap.ErrInvalidSubcommand
	}
	retries := a.device.UVRetries
	return &ctap.ClientPINResponse{UVRetries: &retries}, nil
}

// getKeyAgreement is section 6.5.5.4.
func (a *Authenticator) getKeyAgreement(r *ctap.ClientPINRequest) (*ctap.ClientPINResponse, error) {
	if r.PinUvAuthProtocol == 0 {
		return nil, ctap.ErrMissingParameter
	}
	k, err := a.keyAgreement(r.PinUvAuthProtocol)
	if err != nil {
		return nil, err
	}
	return &ctap.ClientPINResponse{KeyAgreement: cbor.RawMessage(k.Public())}, nil
}

// keyAgreement returns this boot's key pair of a protocol.
func (a *Authenticator) keyAgreement(protocol uint) (*pinuv.KeyAgreement, error) {
	slot := &a.boot.agreement[protocol-1]
	if *slot == nil {
		k, err := pinuv.NewKeyAgreement(a.env.Rand)
		if err != nil {
			return nil, err
		}
		*slot = k
	}
	return *slot, nil
}

// decapsulate finds the protocol and agrees on the secret with the platform. What
// is wrong with the platform's key is ctap.ErrInvalidParameter, or what is wrong
// with its CBOR.
func (a *Authenticator) decapsulate(protocol uint, peer []byte) (pinuv.Protocol, []byte, error) {
	p, ok := pinuv.ByNumber(protocol)
	if !ok || !a.profile.hasProtocol(protocol) {
		return p, nil, ctap.ErrInvalidParameter
	}
	k, err := a.keyAgreement(protocol)
	if err != nil {
		return p, nil, err
	}
	secret, err := k.Decapsulate(p, peer)
	if errors.Is(err, pinuv.ErrKeyAgreement) {
		return p, nil, ctap.ErrInvalidParameter
	}
	return p, secret, err
}

// setPIN is section 6.5.5.5.
func (a *Authenticator) setPIN(r *ctap.ClientPINRequest) error {
	if r.PinUvAuthProtocol == 0 || r.KeyAgreement == nil || r.NewPinEnc == nil || r.PinUvAuthParam == nil {
		return ctap.ErrMissingParameter
	}
	if a.pinSet() {
		return ctap.ErrPINAuthInvalid
	}
	p, secret, err := a.decapsulate(r.PinUvAuthProtocol, r.KeyAgreement)
	if err != nil {
		return err
	}
	if !p.Verify(secret, r.NewPinEnc, r.PinUvAuthParam) {
		return ctap.ErrPINAuthInvalid
	}
	return a.storePIN(p, secret, r.NewPinEnc, a.device)
}

// changePIN is section 6.5.5.6.
func (a *Authenticator) changePIN(r *ctap.ClientPINRequest) error {
	if r.PinUvAuthProtocol == 0 || r.KeyAgreement == nil || r.NewPinEnc == nil || r.PinHashEnc == nil || r.PinUvAuthParam == nil {
		return ctap.ErrMissingParameter
	}
	if !a.pinSet() {
		return ctap.ErrPINNotSet
	}
	if a.device.PINRetries == 0 {
		return ctap.ErrPINBlocked
	}
	p, secret, err := a.decapsulate(r.PinUvAuthProtocol, r.KeyAgreement)
	if err != nil {
		return err
	}
	if !p.Verify(secret, append(bytes.Clone(r.NewPinEnc), r.PinHashEnc...), r.PinUvAuthParam) {
		return ctap.ErrPINAuthInvalid
	}
	if err := a.checkPIN(p, secret, r.PinHashEnc); err != nil {
		return err
	}
	return a.storePIN(p, secret, r.NewPinEnc, a.device)
}

// storePIN decrypts a new PIN, holds it against the policy and saves it with d.
func (a *Authenticator) storePIN(p pinuv.Protocol, secret, newPinEnc []byte, d Device) error {
	padded, err := p.Decrypt(secret, newPinEnc)
	if err != nil || len(padded) != paddedPIN {
		return ctap.ErrInvalidParameter
	}
	pin := bytes.TrimRight(padded, "\x00")
	length := uint(utf8.RuneCount(pin))
	if length < d.MinPINLength || uint(len(pin)) > a.profile.maxPINLength() || !utf8.Valid(pin) {
		return ctap.ErrPINPolicyViolation
	}
	hash := sha256.Sum256(pin)
	if d.ForcePINChange && bytes.Equal(hash[:16], d.PINHash) {
		return ctap.ErrPINPolicyViolation
	}
	trivial := trivialPIN(string(pin))
	if trivial && d.PINComplexityPolicy {
		return ctap.ErrPINPolicyViolation
	}
	d.PINHash, d.PINLength, d.TrivialPIN, d.ForcePINChange = bytes.Clone(hash[:16]), length, trivial, false
	d.PINRetries = a.profile.pinRetries()
	if err := a.replacePersistentToken(&d); err != nil {
		return err
	}
	if err := a.save(d); err != nil {
		return err
	}
	a.boot.token = token{}
	return nil
}

// checkPIN compares a PIN hash with the stored one. The try is counted, durably,
// before the comparison, so that cutting the power between them gains nothing.
func (a *Authenticator) checkPIN(p pinuv.Protocol, secret, pinHashEnc []byte) error {
	if a.boot.wrongPINs >= maxWrongPINs {
		return ctap.ErrPINAuthBlocked
	}
	d := a.device
	d.PINRetries--
	if err := a.save(d); err != nil {
		return err
	}
	hash, err := p.Decrypt(secret, pinHashEnc)
	if err != nil || subtle.ConstantTimeCompare(hash, a.device.PINHash) != 1 {
		return a.wrongPIN(p)
	}
	a.boot.wrongPINs = 0
	d.PINRetries, d.UVRetries, d.UVSincePIN = a.profile.pinRetries(), a.profile.uvRetries(), 0
	return a.save(d)
}

// wrongPIN makes a new key agreement key and tells how bad it is.
func (a *Authenticator) wrongPIN(p pinuv.Protocol) error {
	a.boot.agreement[p.Number()-1] = nil
	a.boot.wrongPINs++
	switch {
	case a.device.PINRetries == 0:
		return ctap.ErrPINBlocked
	case a.boot.wrongPINs >= maxWrongPINs:
		return ctap.ErrPINAuthBlocked
	}
	return ctap.ErrPINInvalid
}

// getPinToken is section 6.5.5.7.1, as CTAP 2.0 had it: a token for makeCredential
// and getAssertion at any one relying party.
func (a *Authenticator) getPinToken(r *ctap.ClientPINRequest) (*ctap.ClientPINResponse, error) {
	if r.Permissions != nil || r.RPID != nil {
		return nil, ctap.ErrInvalidParameter
	}
	if a.noMcGaWithPIN() {
		return nil, ctap.ErrUnauthorizedPerm
	}
	p, secret, err := a.usePIN(r)
	if err != nil {
		return nil, err
	}
	if a.device.ForcePINChange {
		return nil, ctap.ErrPINInvalid
	}
	return a.tokenAnswer(p, secret, ctap.PermMakeCredential|ctap.PermGetAssertion, "", false)
}

// tokenUsingPIN is getPinUvAuthTokenUsingPinWithPermissions (section 6.5.5.7.2).
func (a *Authenticator) tokenUsingPIN(r *ctap.ClientPINRequest) (*ctap.ClientPINResponse, error) {
	if !a.profile.tokens() {
		return nil, ctap.ErrInvalidSubcommand
	}
	if r.PinUvAuthProtocol == 0 || r.KeyAgreement == nil || r.PinHashEnc == nil {
		return nil, ctap.ErrMissingParameter
	}
	var refused ctap.Permissions
	if a.noMcGaWithPIN() {
		refused = ctap.PermMakeCredential | ctap.PermGetAssertion
	}
	if err := a.checkPermissions(r, refused); err != nil {
		return nil, err
	}
	p, secret, err := a.usePIN(r)
	if err != nil {
		return nil, err
	}
	if a.device.ForcePINChange {
		return nil, ctap.ErrPINPolicyViolation
	}
	return a.tokenAnswer(p, secret, *r.Permissions, rpIDOf(r), false)
}

// usePIN checks the PIN of a token request.
func (a *Authenticator) usePIN(r *ctap.ClientPINRequest) (pinuv.Protocol, []byte, error) {
	if r.PinUvAuthProtocol == 0 || r.KeyAgreement == nil || r.PinHashEnc == nil {
		return pinuv.Protocol{}, nil, ctap.ErrMissingParameter
	}
	if !a.pinSet() {
		return pinuv.Protocol{}, nil, ctap.ErrPINNotSet
	}
	if a.device.PINRetries == 0 {
		return pinuv.Protocol{}, nil, ctap.ErrPINBlocked
	}
	p, secret, err := a.decapsulate(r.PinUvAuthProtocol, r.KeyAgreement)
	if err != nil {
		return p, nil, err
	}
	return p, secret, a.checkPIN(p, secret, r.PinHashEnc)
}

// tokenUsingUV is getPinUvAuthTokenUsingUvWithPermissions (section 6.5.5.7.3).
func (a *Authenticator) tokenUsingUV(ctx context.Context, r *ctap.ClientPINRequest) (*ctap.ClientPINResponse, error) {
	if a.profile.BuiltInUV == NoBuiltInUV || !a.profile.tokens() {
		return nil, ctap.ErrInvalidSubcommand
	}
	if r.PinUvAuthProtocol == 0 || r.KeyAgreement == nil {
		return nil, ctap.ErrMissingParameter
	}
	if err := a.checkPermissions(r, a.notByUV()); err != nil {
		return nil, err
	}
	if !a.builtInUV() {
		return nil, ctap.ErrNotAllowed
	}
	p, secret, err := a.decapsulate(r.PinUvAuthProtocol, r.KeyAgreement)
	if err != nil {
		return nil, err
	}
	if err := a.performBuiltInUV(ctx, Prompt{Command: ctap.ClientPIN, RPID: rpIDOf(r)}, false); err != nil {
		return nil, err
	}
	return a.tokenAnswer(p, secret, *r.Permissions, rpIDOf(r), true)
}

// unavailable returns the permissions of commands that the authenticator has not.
func (a *Authenticator) unavailable() ctap.Permissions {
	p, missing := &a.profile, ctap.Permissions(0)
	for _, c := range []struct {
		has        bool
		permission ctap.Permissions
	}{
		{p.CredentialManagement, ctap.PermCredentialMgmt},
		{p.Biometrics.Enrollment, ctap.PermBioEnrollment},
		{p.LargeBlobs, ctap.PermLargeBlobWrite},
		{p.Config, ctap.PermAuthenticatorCfg},
		{p.ReadOnlyManagement, ctap.PermCredentialMgmtRead},
	} {
		if !c.has {
			missing |= c.permission
		}
	}
	return missing
}

// notByUV returns the permissions that built-in user verification does not give.
func (a *Authenticator) notByUV() (refused ctap.Permissions) {
	if !a.profile.UVBioEnroll {
		refused |= ctap.PermBioEnrollment
	}
	if !a.profile.UVConfig {
		refused |= ctap.PermAuthenticatorCfg
	}
	return refused
}

// noMcGaWithPIN is the option noMcGaPermissionsWithClientPin.
func (a *Authenticator) noMcGaWithPIN() bool { return a.profile.NoMcGaWithPIN && a.profile.ClientPIN }

// checkPermissions looks at what a token is asked for; refused are permissions that
// are not to be had in this way.
func (a *Authenticator) checkPermissions(r *ctap.ClientPINRequest, refused ctap.Permissions) error {
	if r.Permissions == nil {
		return ctap.ErrMissingParameter
	}
	if *r.Permissions == 0 {
		return ctap.ErrInvalidParameter
	}
	if *r.Permissions&(a.unavailable()|refused) != 0 {
		return ctap.ErrUnauthorizedPerm
	}
	if *r.Permissions&ctap.PermCredentialMgmtRead != 0 && *r.Permissions != ctap.PermCredentialMgmtRead {
		return ctap.ErrUnauthorizedPerm
	}
	if *r.Permissions&(ctap.PermMakeCredential|ctap.PermGetAssertion) != 0 && rpIDOf(r) == "" {
		return ctap.ErrMissingParameter
	}
	return nil
}

func rpIDOf(r *ctap.ClientPINRequest) string {
	if r.RPID == nil {
		return ""
	}
	return *r.RPID
}

// tokenAnswer issues a token, or gives out the persistent one for pcmr, and encrypts
// it to the platform.
func (a *Authenticator) tokenAnswer(p pinuv.Protocol, secret []byte, permissions ctap.Permissions, rpID string, userPresent bool) (*ctap.ClientPINResponse, error) {
	value := a.device.PersistentToken
	if permissions != ctap.PermCredentialMgmtRead {
		if err := a.issueToken(p, permissions, rpID, userPresent); err != nil {
			return nil, err
		}
		value = a.boot.token.value
	}
	encrypted, err := p.Encrypt(secret, value, a.env.Rand)
	if err != nil {
		return nil, err
	}
	return &ctap.ClientPINResponse{PinUvAuthToken: encrypted}, nil
}
