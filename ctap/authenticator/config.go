package authenticator

import (
	"bytes"
	"slices"

	"fido-emu/ctap"
)

// defaultMaxPINRPIDs is how many relying parties may be told the minimum PIN length.
const defaultMaxPINRPIDs = 8

func (p *Profile) maxPINRPIDs() uint { return or(p.MaxPINRPIDs, defaultMaxPINRPIDs) }

// configCommands are the subcommands of authenticatorConfig that the profile has.
func (p *Profile) configCommands() (commands []uint) {
	for _, c := range []struct {
		subCommand uint
		has        bool
	}{
		{ctap.EnableEnterpriseAttestation, p.Enterprise.Capable},
		{ctap.ToggleAlwaysUV, true},
		{ctap.SetMinPINLength, p.ClientPIN},
		{ctap.EnableLongTouchForReset, p.LongTouchForReset},
		{ctap.VendorPrototype, len(p.VendorConfigCommands) > 0},
	} {
		if p.Config && c.has {
			commands = append(commands, c.subCommand)
		}
	}
	return commands
}

// config answers authenticatorConfig (section 6.11).
func (a *Authenticator) config(params []byte) error {
	var r ctap.ConfigRequest
	if err := ctap.Decode(params, &r); err != nil {
		return err
	}
	if r.SubCommand == 0 {
		return ctap.ErrMissingParameter
	}
	if !slices.Contains(a.profile.configCommands(), r.SubCommand) {
		return ctap.ErrInvalidSubcommand
	}
	if err := a.authorizeConfig(&r); err != nil {
		return err
	}
	d := a.device
	switch r.SubCommand {
	case ctap.EnableEnterpriseAttestation: // section 6.11.1
		d.EnterpriseEnabled = true
	case ctap.ToggleAlwaysUV: // section 6.11.2
		d.AlwaysUV = !d.AlwaysUV
	case ctap.EnableLongTouchForReset: // section 6.11.5; until a reset
		d.LongTouchForReset = true
	case ctap.VendorPrototype:
		return a.vendorPrototype(&r)
	default:
		return a.setMinPINLength(&r)
	}
	return a.save(d)
}

// authorizeConfig checks the token, which is needed as soon as there is a way to
// verify the user, or always is.
func (a *Authenticator) authorizeConfig(r *ctap.ConfigRequest) error {
	exempt := r.SubCommand == ctap.ToggleAlwaysUV
	if !a.protected() && (!a.device.AlwaysUV || exempt) {
		return nil
	}
	message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.Config), byte(r.SubCommand))
	return a.authorize(r.PinUvAuthProtocol, ctap.PermAuthenticatorCfg, append(message, r.Params...), r.PinUvAuthParam)
}

// configParams reads the parameters of a subcommand, which may be absent.
func configParams(r *ctap.ConfigRequest, into any) error {
	switch {
	case r.Params == nil:
		return nil
	case r.Params[0]>>5 != 5:
		return ctap.ErrCBORUnexpectedType
	}
	return ctap.DecodeLoose(r.Params, into)
}

// vendorPrototype is section 6.11.3. The vendor's commands that a profile lists do
// nothing.
func (a *Authenticator) vendorPrototype(r *ctap.ConfigRequest) error {
	var p ctap.VendorPrototypeParams
	if err := configParams(r, &p); err != nil {
		return err
	}
	if p.CommandID == nil {
		return ctap.ErrMissingParameter
	}
	if !slices.Contains(a.profile.VendorConfigCommands, *p.CommandID) {
		return ctap.ErrInvalidParameter
	}
	return nil
}

// setMinPINLength is section 6.11.4. The minimum can only grow, and the complexity
// policy only come, until a reset.
func (a *Authenticator) setMinPINLength(r *ctap.ConfigRequest) error {
	var p ctap.SetMinPINLengthParams
	if err := configParams(r, &p); err != nil {
		return err
	}
	if err := a.checkPINPolicy(&p); err != nil {
		return err
	}
	d := a.device
	if p.NewMinPINLength != nil {
		d.MinPINLength = *p.NewMinPINLength
	}
	if p.MinPinLengthRPIDs != nil {
		d.MinPINLengthRPIDs = p.MinPinLengthRPIDs
	}
	if p.PinComplexityPolicy != nil && *p.PinComplexityPolicy {
		d.PINComplexityPolicy = true
	}
	if a.pinSet() && (p.ForceChangePin || d.PINLength < d.MinPINLength || d.PINComplexityPolicy && d.TrivialPIN) {
		return a.forcePINChange(d)
	}
	return a.save(d)
}

// checkPINPolicy refuses what setMinPINLength cannot do.
func (a *Authenticator) checkPINPolicy(p *ctap.SetMinPINLengthParams) error {
	if n := p.NewMinPINLength; n != nil && (*n < a.device.MinPINLength || *n > a.profile.maxPINLength()) {
		return ctap.ErrPINPolicyViolation
	}
	if p.ForceChangePin && !a.pinSet() {
		return ctap.ErrPINNotSet
	}
	if uint(len(p.MinPinLengthRPIDs)) > a.profile.maxPINRPIDs() {
		return ctap.ErrKeyStoreFull
	}
	if p.PinComplexityPolicy != nil && *p.PinComplexityPolicy && !a.profile.PINComplexityPolicy {
		return ctap.ErrInvalidParameter
	}
	return nil
}

// forcePINChange saves d so that the PIN must be changed first, and ends all tokens.
func (a *Authenticator) forcePINChange(d Device) error {
	d.ForcePINChange = true
	if err := a.replacePersistentToken(&d); err != nil {
		return err
	}
	if err := a.save(d); err != nil {
		return err
	}
	a.boot.token = token{}
	return nil
}

// toldMinPINLength tells whether a relying party may learn the minimum PIN length
// (extension minPinLength, section 12.5).
func (a *Authenticator) toldMinPINLength(rpID string) bool {
	return slices.Contains(a.device.MinPINLengthRPIDs, rpID)
}
