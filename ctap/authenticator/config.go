package authenticator

import (
	"bytes"
	"slices"

	"fido-emu/ctap"
)

// maxMinPINLengthRPIDs is how many relying parties may be told the minimum PIN
// length.
const maxMinPINLengthRPIDs = 8

// config answers authenticatorConfig (section 6.11).
func (a *Authenticator) config(params []byte) error {
	var r ctap.ConfigRequest
	if err := ctap.Decode(params, &r); err != nil {
		return err
	}
	switch r.SubCommand {
	case 0:
		return ctap.ErrMissingParameter
	case ctap.ToggleAlwaysUV:
	case ctap.SetMinPINLength:
		if !a.profile.ClientPIN {
			return ctap.ErrInvalidSubcommand
		}
	default:
		return ctap.ErrInvalidSubcommand
	}
	if err := a.authorizeConfig(&r); err != nil {
		return err
	}
	if r.SubCommand == ctap.ToggleAlwaysUV {
		return a.toggleAlwaysUV()
	}
	return a.setMinPINLength(&r)
}

// authorizeConfig checks the token, which is needed as soon as there is a way to
// verify the user, or always is.
func (a *Authenticator) authorizeConfig(r *ctap.ConfigRequest) error {
	exempt := r.SubCommand == ctap.ToggleAlwaysUV
	if !a.protected() && (!a.device.AlwaysUV || exempt) {
		return nil
	}
	if r.PinUvAuthParam == nil {
		return ctap.ErrPUATRequired
	}
	if r.PinUvAuthProtocol == 0 {
		return ctap.ErrMissingParameter
	}
	if !a.profile.hasProtocol(r.PinUvAuthProtocol) {
		return ctap.ErrInvalidParameter
	}
	message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.Config), byte(r.SubCommand))
	return a.verifyToken(r.PinUvAuthProtocol, ctap.PermAuthenticatorCfg, append(message, r.Params...), r.PinUvAuthParam)
}

// toggleAlwaysUV is section 6.11.2.
func (a *Authenticator) toggleAlwaysUV() error {
	d := a.device
	d.AlwaysUV = !d.AlwaysUV
	return a.save(d)
}

// setMinPINLength is section 6.11.4. The minimum can only grow until a reset.
func (a *Authenticator) setMinPINLength(r *ctap.ConfigRequest) error {
	var p ctap.SetMinPINLengthParams
	if r.Params != nil {
		if err := ctap.DecodeLoose(r.Params, &p); err != nil {
			return err
		}
	}
	d := a.device
	if p.NewMinPINLength != nil {
		if *p.NewMinPINLength < d.MinPINLength || *p.NewMinPINLength > a.profile.maxPINLength() {
			return ctap.ErrPINPolicyViolation
		}
		d.MinPINLength = *p.NewMinPINLength
	}
	if len(p.MinPinLengthRPIDs) > maxMinPINLengthRPIDs {
		return ctap.ErrKeyStoreFull
	}
	if p.ForceChangePin && !a.pinSet() {
		return ctap.ErrPINNotSet
	}
	if p.MinPinLengthRPIDs != nil {
		d.MinPINLengthRPIDs = p.MinPinLengthRPIDs
	}
	d.ForcePINChange = d.ForcePINChange || p.ForceChangePin || (a.pinSet() && d.PINLength < d.MinPINLength)
	if err := a.save(d); err != nil {
		return err
	}
	if d.ForcePINChange {
		a.boot.token = token{}
	}
	return nil
}

// toldMinPINLength tells whether a relying party may learn the minimum PIN length
// (extension minPinLength, section 12.5).
func (a *Authenticator) toldMinPINLength(rpID string) bool {
	return slices.Contains(a.device.MinPINLengthRPIDs, rpID)
}
