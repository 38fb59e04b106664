package authenticator

import "github.com/fxamacker/cbor/v2"

// The values of USER_VERIFY (FIDO registry of predefined values, section 3.1) that uvm
// tells beside those of uvModalities, and the defaults of its other two.
const (
	verifyPresence         = 0x0001 // USER_VERIFY_PRESENCE_INTERNAL
	verifyNone             = 0x0200 // USER_VERIFY_NONE
	verifyPasscodeExternal = 0x0800 // USER_VERIFY_PASSCODE_EXTERNAL: the PIN is typed on the platform

	defaultKeyProtection     = 0x0A // hardware, secure element
	defaultMatcherProtection = 0x04 // on chip
)

func (a *Authenticator) makeUVM(c *ceremony, x *makeExtensions, raw cbor.RawMessage) error {
	return a.uvm(c, x.outputs, raw)
}

func (a *Authenticator) getUVM(c *ceremony, _ *Credential, x *getExtensions, raw cbor.RawMessage) error {
	return a.uvm(c, x.outputs, raw)
}

// uvm is the extension uvm (WebAuthn Level 2, section 10.1.9): how the user was
// verified in this ceremony, as one list of method, key protection and matcher
// protection.
func (a *Authenticator) uvm(c *ceremony, outputs map[string]any, raw cbor.RawMessage) error {
	asked, err := flag(raw)
	if err == nil && asked {
		outputs[ExtUVM] = [][3]uint{{
			a.verifiedBy(c),
			or(uint(a.profile.UVM.KeyProtection), defaultKeyProtection),
			or(uint(a.profile.UVM.MatcherProtection), defaultMatcherProtection),
		}}
	}
	return err
}

// verifiedBy returns the user verification method of a ceremony.
func (a *Authenticator) verifiedBy(c *ceremony) uint {
	switch {
	case c.byPIN:
		return verifyPasscodeExternal
	case c.verified:
		return uvModalities[a.profile.BuiltInUV]
	case c.up:
		return verifyPresence
	}
	return verifyNone
}
