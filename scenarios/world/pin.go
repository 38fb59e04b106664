package world

import (
	"context"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// SetPIN sets the first PIN; its owner knows it from then on.
func (d *Device) SetPIN(ctx context.Context, pin string) error {
	pin = d.real(pin)
	if err := d.Host.SetPIN(ctx, pin); err != nil {
		return err
	}
	d.PIN = pin
	return nil
}

// ChangePIN changes the PIN; its owner knows the new one from then on.
func (d *Device) ChangePIN(ctx context.Context, from, to string) error {
	from, to = d.real(from), d.real(to)
	if err := d.Host.ChangePIN(ctx, from, to); err != nil {
		return err
	}
	d.PIN = to
	return nil
}

// TryPIN types a PIN as for a sign-in, and does nothing with it.
func (d *Device) TryPIN(ctx context.Context, pin string) error {
	_, err := d.Host.TokenUsingPIN(ctx, d.real(pin), platform.Need{Permissions: ctap.PermGetAssertion, RPID: d.world.Scenario.Site.ID})
	return err
}

// PINSet tells whether the device has a PIN.
func (d *Device) PINSet(ctx context.Context) (bool, error) {
	d.Host.Forget()
	info, err := d.Host.Info(ctx)
	if err != nil {
		return false, err
	}
	return info.Options["clientPin"], nil
}

// PINTries returns how many wrong PINs it still takes until only a reset helps.
func (d *Device) PINTries(ctx context.Context) (uint, error) {
	tries, err := d.Host.PINRetries(ctx)
	return tries.Left, err
}

// PowerCycle cuts the power and gives it back.
func (d *Device) PowerCycle(ctx context.Context) error {
	if d.key != nil {
		defer d.Host.Forget()
		return d.blame(ctx, d.key.PowerCycle(ctx))
	}
	return d.replug(ctx, func() error {
		d.core.PowerCycle()
		if d.chip == nil {
			return nil
		}
		return d.chip.restart(ctx)
	})
}

// Reset is authenticatorReset; a PIN is gone with it.
func (d *Device) Reset(ctx context.Context) error {
	if err := d.AtHand(); err != nil {
		return err
	}
	if err := d.Host.Reset(ctx); err != nil {
		return err
	}
	d.PIN = ""
	return nil
}

// EnableEnterpriseAttestation is the subcommand of authenticatorConfig; its holder types
// the PIN where there is one.
func (d *Device) EnableEnterpriseAttestation(ctx context.Context) (err error) {
	var token *platform.Token
	if d.PIN != "" {
		if token, err = d.Host.ConfigToken(ctx, d.PIN); err != nil {
			return err
		}
	}
	defer d.Host.Forget()
	return d.Host.EnableEnterpriseAttestation(ctx, token)
}

// IsSerial tells whether enterprise attestation that names serial can be this device's.
// What a key names that was not made here is not known.
func (d *Device) IsSerial(serial string) bool { return d.key != nil || serial == d.Name }

// SetTouch sets how the holder answers when the device asks for a touch.
func (d *Device) SetTouch(policy string) { d.holder.touch = policy }
