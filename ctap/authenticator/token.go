package authenticator

import (
	"io"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// The timers of a pinUvAuthToken on a device with a wire (section 6.5.2.1).
const (
	initialUsageLimit = 30 * time.Second
	userPresentLimit  = 30 * time.Second
	maxUsagePeriod    = 10 * time.Minute
)

// token is a pinUvAuthToken and the state variables that belong to it
// (section 6.5.2.1). The zero value is a token that is not in use.
type token struct {
	value        []byte
	protocol     pinuv.Protocol
	permissions  ctap.Permissions
	rpID         string // empty: bound to none yet
	inUse        bool
	used         bool // since it was issued
	userPresent  bool
	userVerified bool
	issued       time.Time
}

// issueToken makes a new token, which ends every earlier one, and begins using
// it.
func (a *Authenticator) issueToken(p pinuv.Protocol, permissions ctap.Permissions, rpID string, userPresent bool) error {
	value := make([]byte, pinuv.TokenSize)
	if _, err := io.ReadFull(a.env.Rand, value); err != nil {
		return err
	}
	a.boot.token = token{
		value: value, protocol: p, permissions: permissions, rpID: rpID,
		inUse: true, userPresent: userPresent, userVerified: true, issued: a.env.Now(),
	}
	return nil
}

// observe ends the token whose time is up (pinUvAuthTokenUsageTimerObserver).
func (t *token) observe(now time.Time) {
	age := now.Sub(t.issued)
	if t.inUse && (age > maxUsagePeriod || (!t.used && age > initialUsageLimit)) {
		*t = token{}
	}
}

// userPresentFlag is getUserPresentFlagValue.
func (t *token) userPresentFlag(now time.Time) bool {
	return t.inUse && t.userPresent && now.Sub(t.issued) <= userPresentLimit
}

// spend clears what one ceremony uses up: the flags, and all permissions but
// lbw.
func (t *token) spend() {
	t.userPresent, t.userVerified = false, false
	t.permissions &= ctap.PermLargeBlobWrite
}

// verifyToken is verify(pinUvAuthToken, message, mac) with the checks that every
// use of a token shares: it is in use, of this protocol, and has the permission.
func (a *Authenticator) verifyToken(protocol uint, permission ctap.Permissions, message, mac []byte) error {
	t := &a.boot.token
	t.observe(a.env.Now())
	if !t.inUse || t.protocol.Number() != protocol || !t.protocol.Verify(t.value, message, mac) {
		return ctap.ErrPINAuthInvalid
	}
	t.used = true
	if t.permissions&permission == 0 {
		return ctap.ErrPINAuthInvalid
	}
	return nil
}

// authorize checks the pinUvAuthParam of a command that needs one: it is there, its
// protocol is named and supported, and its token has the permission.
func (a *Authenticator) authorize(protocol uint, permission ctap.Permissions, message, mac []byte) error {
	if err := a.checkAuthParam(protocol, mac); err != nil {
		return err
	}
	return a.verifyToken(protocol, permission, message, mac)
}

func (a *Authenticator) checkAuthParam(protocol uint, mac []byte) error {
	if mac == nil {
		return ctap.ErrPUATRequired
	}
	if protocol == 0 {
		return ctap.ErrMissingParameter
	}
	if !a.profile.hasProtocol(protocol) {
		return ctap.ErrInvalidParameter
	}
	return nil
}

// verifyCeremonyToken is what makeCredential and getAssertion ask of a token
// (sections 6.1.2 step 11 and 6.2.2 step 6): besides verifying, it speaks for this
// relying party and its user was verified. A token bound to no relying party is
// bound to this one.
func (a *Authenticator) verifyCeremonyToken(protocol uint, permission ctap.Permissions, rpID string, hash, mac []byte) error {
	if err := a.verifyToken(protocol, permission, hash, mac); err != nil {
		return err
	}
	t := &a.boot.token
	if t.rpID != "" && t.rpID != rpID {
		return ctap.ErrPINAuthInvalid
	}
	if !t.userVerified {
		return ctap.ErrPINAuthInvalid
	}
	t.rpID = rpID
	return nil
}
