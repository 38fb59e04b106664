package platform

import (
	"bytes"
	"context"
	"fmt"

	"fido-emu/ctap"
)

// ConfigToken obtains a token for authenticatorConfig with a PIN.
func (h *Host) ConfigToken(ctx context.Context, pin string) (*Token, error) {
	return h.TokenUsingPIN(ctx, pin, Need{Permissions: ctap.PermAuthenticatorCfg})
}

// EnableEnterpriseAttestation lets the authenticator attest to enterprises until it is
// reset (section 6.11.1). t is a token of [Host.ConfigToken]; here and in what follows
// it is nil for an authenticator that no form of user verification protects yet.
func (h *Host) EnableEnterpriseAttestation(ctx context.Context, t *Token) error {
	return h.config(ctx, "enableEnterpriseAttestation", t, ctap.EnableEnterpriseAttestation, nil)
}

// ToggleAlwaysUV turns the option alwaysUv on, or off again (section 6.11.2).
func (h *Host) ToggleAlwaysUV(ctx context.Context, t *Token) error {
	return h.config(ctx, "toggleAlwaysUv", t, ctap.ToggleAlwaysUV, nil)
}

// SetMinPINLength makes the policy for PINs stricter (section 6.11.4).
func (h *Host) SetMinPINLength(ctx context.Context, t *Token, p ctap.SetMinPINLengthParams) error {
	return h.config(ctx, "setMinPINLength", t, ctap.SetMinPINLength, p)
}

// EnableLongTouchForReset makes the authenticator ask for a touch of ten seconds before
// it resets itself, until it has done so (CTAP 2.3, subcommand 0x04).
func (h *Host) EnableLongTouchForReset(ctx context.Context, t *Token) error {
	return h.config(ctx, "enableLongTouchForReset", t, ctap.EnableLongTouchForReset, nil)
}

// VendorPrototype sends a vendor's command (section 6.11.3). further are its
// parameters, numbered from 2.
func (h *Host) VendorPrototype(ctx context.Context, t *Token, id uint64, further map[uint]any) error {
	p := map[uint]any{1: id}
	for key, value := range further {
		p[key] = value
	}
	return h.config(ctx, "vendorPrototype", t, ctap.VendorPrototype, p)
}

// config sends a subcommand. params may be nil.
func (h *Host) config(ctx context.Context, doing string, t *Token, subCommand uint, params any) error {
	r := &ctap.ConfigRequest{SubCommand: subCommand}
	if params != nil {
		encoded, err := ctap.Encode(params)
		if err != nil {
			return fmt.Errorf("%s: cannot encode the parameters: %w", doing, err)
		}
		r.Params = encoded
	}
	if t != nil {
		message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.Config), byte(subCommand))
		r.PinUvAuthProtocol = t.Protocol().Number()
		r.PinUvAuthParam = t.Authenticate(append(message, r.Params...))
	}
	defer h.Forget()
	return h.call(ctx, ctap.Config.String()+" "+doing, ctap.Config, r, nil)
}
