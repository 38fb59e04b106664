package authenticator

import (
	"bytes"

	"fido-emu/ctap"
)

// configQuirks are about authenticatorConfig (section 6.11) and what it switches.
func configQuirks() []quirk {
	type request = ctap.ConfigRequest
	undone := func(sub uint, undo func(d *Device, before Device)) behaviour {
		return afterCommand(ctap.Config, func(x *exchange) {
			if x.subCommand() == sub {
				x.save(func(d *Device) { undo(d, x.device) })
			}
		})
	}
	return []quirk{
		breach("config-mac-unchecked", "6.11", "does not verify pinUvAuthParam",
			"any program changes the key's settings", "authnrCfg", changeRequest(ctap.Config, func(x *exchange, r *request) {
				x.remac(&r.PinUvAuthParam, &r.PinUvAuthProtocol, configMessage(r))
			})),
		breach("config-without-token-accepted", "6.11", "changes settings without a pinUvAuthParam although a PIN is set",
			"any program changes the key's settings", "authnrCfg", changeRequest(ctap.Config, func(x *exchange, r *request) {
				if r.PinUvAuthParam == nil {
					x.wholeToken()
					r.PinUvAuthProtocol, r.PinUvAuthParam = 2, x.mac(configMessage(r))
				}
			})),
		breach("config-permission-unchecked", "6.11", "changes settings with a token that has not the permission acfg",
			"a token for one purpose serves every other", "authnrCfg", withPermission(ctap.Config)),
		breach("config-subcommand-accepted", "6.11", "answers CTAP2_OK to a subcommand that it has not",
			"a platform believes that something was done", "authnrCfg", changeStatus(ctap.Config, ctap.ErrInvalidSubcommand, ctap.OK)),
		breach("toggle-always-uv-ignored", "6.11.2", "answers CTAP2_OK to toggleAlwaysUv and changes nothing",
			"a key that its owner locked works for whoever finds it", "authnrCfg,alwaysUv", undone(ctap.ToggleAlwaysUV, func(d *Device, before Device) { d.AlwaysUV = before.AlwaysUV })),
		breach("enterprise-enable-ignored", "6.11.1", "answers CTAP2_OK to enableEnterpriseAttestation and changes nothing",
			"the enterprise does not see its own keys", "ep", undone(ctap.EnableEnterpriseAttestation, func(d *Device, before Device) { d.EnterpriseEnabled = before.EnterpriseEnabled })),
		breach("min-pin-lowered", "6.11.4", "lowers the minimum PIN length",
			"a policy is undone by whoever holds the PIN", "minPinLength", lowerMinPIN()),
		breach("min-pin-not-raised", "6.11.4", "answers CTAP2_OK to setMinPINLength and keeps the old length",
			"a policy does not hold", "minPinLength", undone(ctap.SetMinPINLength, func(d *Device, before Device) { d.MinPINLength = before.MinPINLength })),
		breach("min-pin-forces-nothing", "6.11.4", "does not ask for a new PIN when the old one is too short now",
			"a policy does not hold", "minPinLength", undone(ctap.SetMinPINLength, func(d *Device, before Device) { d.ForcePINChange = before.ForcePINChange })),
		breach("min-pin-sites-ignored", "6.11.4", "answers CTAP2_OK to minPinLengthRPIDs and keeps the old list",
			"the enterprise cannot see that its policy holds", "minPinLength", undone(ctap.SetMinPINLength, func(d *Device, before Device) { d.MinPINLengthRPIDs = before.MinPINLengthRPIDs })),
		breach("min-pin-sites-limit-ignored", "6.11.4", "takes more minPinLengthRPIDs than the maxRPIDsForSetMinPINLength that it states",
			"the limit that it states is not its own", "minPinLength", changeStatus(ctap.Config, ctap.ErrKeyStoreFull, ctap.OK)),
		breach("force-change-without-pin-accepted", "6.11.4", "takes forceChangePin where no PIN is set",
			"the first PIN must be changed at once", "minPinLength", changeStatus(ctap.Config, ctap.ErrPINNotSet, ctap.OK)),
	}
}

// configMessage is what pinUvAuthParam authenticates.
func configMessage(r *ctap.ConfigRequest) []byte {
	return append(append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.Config), byte(r.SubCommand)), r.Params...)
}

// lowerMinPIN has the handler believe that the minimum is what it is to become.
func lowerMinPIN() behaviour {
	return beforeCommand(ctap.Config, func(x *exchange) {
		var r ctap.ConfigRequest
		var p ctap.SetMinPINLengthParams
		if ctap.Decode(x.request[1:], &r) != nil || r.SubCommand != ctap.SetMinPINLength || ctap.DecodeLoose(r.Params, &p) != nil {
			return
		}
		if was := x.a.device.MinPINLength; p.NewMinPINLength != nil && *p.NewMinPINLength < was {
			lower := *p.NewMinPINLength
			x.pretend(func(d *Device) { d.MinPINLength = lower }, func(d *Device) {
				if len(x.answer) == 0 || !x.ok() {
					d.MinPINLength = was
				}
			})
		}
	})
}
