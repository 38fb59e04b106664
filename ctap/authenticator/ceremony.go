package authenticator

import (
	"context"
	"crypto/sha256"

	"fido-emu/ctap"
)

// ceremony is what makeCredential and getAssertion share: the first steps of both
// algorithms are the same but for names.
type ceremony struct {
	command    ctap.Command
	permission ctap.Permissions
	rpID       string
	rpIDHash   [32]byte
	hash       []byte // clientDataHash
	mac        []byte // pinUvAuthParam; nil when absent
	protocol   uint   // pinUvAuthProtocol; 0 when absent
	rk, up, uv bool   // the options
	listed     bool   // getAssertion: there is an allowList
	user       string // name, for prompts

	verified bool // the user was verified in this ceremony
	byPIN    bool // with the PIN, not by built-in means
	present  bool // and is known to be present
}

func (c *ceremony) prompt() Prompt { return Prompt{Command: c.command, RPID: c.rpID, User: c.user} }

// useOptions reads the options that the two commands share. Options nobody knows
// are ignored.
func (c *ceremony) useOptions(options map[string]bool) {
	c.uv, c.up, c.rk = options["uv"], true, options["rk"]
	if up, ok := options["up"]; ok {
		c.up = up
	}
}

// checkHash refuses a clientDataHash that is absent or not a SHA-256.
func checkHash(hash []byte) error {
	if hash == nil {
		return ctap.ErrMissingParameter
	}
	if len(hash) != sha256.Size {
		return ctap.ErrInvalidParameter
	}
	return nil
}

// probe is step 1: a pinUvAuthParam of length zero asks which authenticator the
// user means and whether a PIN is set.
func (a *Authenticator) probe(ctx context.Context, c *ceremony) error {
	if c.mac == nil || len(c.mac) > 0 || !(a.profile.ClientPIN || a.profile.tokens()) {
		return nil
	}
	if err := a.ceremonyPresence(ctx, c.prompt()); err != nil {
		return err
	}
	if !a.protected() {
		return ctap.ErrPINNotSet
	}
	return ctap.ErrPINInvalid
}

// checkProtocol is step 2.
func (a *Authenticator) checkProtocol(c *ceremony) error {
	if c.mac == nil {
		return nil
	}
	if c.protocol == 0 {
		return ctap.ErrMissingParameter
	}
	if !a.profile.hasProtocol(c.protocol) {
		return ctap.ErrInvalidParameter
	}
	return nil
}

// checkUVOption is the part of the options step about uv: a pinUvAuthParam makes it
// void, and it needs built-in user verification.
func (a *Authenticator) checkUVOption(c *ceremony) error {
	if c.mac != nil {
		c.uv = false
	}
	if !c.uv || a.builtInUV() {
		return nil
	}
	if !a.profile.ctap21() { // CTAP 2.0, section 5.1 step 5: known and not supported
		return ctap.ErrUnsupportedOption
	}
	return ctap.ErrInvalidOption
}

// checkAlwaysUV is the step about alwaysUv: no ceremony without user
// verification.
func (a *Authenticator) checkAlwaysUV(c *ceremony) error {
	if !a.device.AlwaysUV || c.mac != nil || c.uv {
		return nil
	}
	if a.builtInUV() {
		c.uv = true
		return nil
	}
	if a.profile.ClientPIN {
		return ctap.ErrPUATRequired
	}
	return ctap.ErrOperationDenied
}

// verifyUser is the step that verifies the user, by pinUvAuthParam or by built-in
// means, where the request asks for either.
func (a *Authenticator) verifyUser(ctx context.Context, c *ceremony) error {
	switch {
	case c.mac != nil:
		if err := a.verifyCeremonyToken(c.protocol, c.permission, c.rpID, c.hash, c.mac); err != nil {
			return err
		}
		c.present = a.boot.token.userPresentFlag(a.env.Now())
		c.byPIN = !a.boot.token.userPresent // which built-in user verification sets, and the PIN does not
	case c.uv:
		if err := a.ceremonyUV(ctx, c.prompt()); err != nil {
			return err
		}
		c.present = true // whoever gave a finger or a passcode is there
	default:
		return nil
	}
	c.verified = true
	return nil
}

// collectPresence is the step that asks for a touch, unless the user is known to be
// present, and then spends the token.
func (a *Authenticator) collectPresence(ctx context.Context, c *ceremony) error {
	if !c.present {
		if err := a.ceremonyPresence(ctx, c.prompt()); err != nil {
			return err
		}
		c.present = true
	}
	a.boot.token.spend()
	return nil
}

func (c *ceremony) flags() ctap.Flags {
	var f ctap.Flags
	if c.up {
		f |= ctap.FlagUP
	}
	if c.verified {
		f |= ctap.FlagUV
	}
	return f
}
