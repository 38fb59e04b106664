package world

import (
	"context"

	"fido-emu/keychain"
)

// Sync has the device send and fetch what changed.
func (d *Device) Sync(ctx context.Context) error {
	_, err := d.Member.Sync(ctx)
	return err
}

// AskToJoin asks to join an account and returns the code that the device shows.
func (d *Device) AskToJoin(ctx context.Context, a *Account) (code string, err error) {
	r, err := d.Member.RequestJoin(ctx, a.user, a.secret)
	if err != nil {
		return "", err
	}
	d.asked, d.joined = r.ID, a
	d.shows = r.Code
	return r.Code, nil
}

// Approve lets another device join that asked to. Without a code, the one that
// the other shows is typed.
func (d *Device) Approve(ctx context.Context, other *Device, code string) error {
	if code == "" {
		code = other.shows
	}
	if err := d.Member.Approve(ctx, other.asked, code); err != nil {
		return err
	}
	return other.Member.CompleteJoin(ctx)
}

// Recover joins an account with its escrow passcode.
func (d *Device) Recover(ctx context.Context, a *Account, passcode string) error {
	if err := d.Member.RecoverFromEscrow(ctx, a.user, a.secret, passcode); err != nil {
		return err
	}
	d.joined = a
	return nil
}

// SetPasscode puts the device's account into escrow.
func (d *Device) SetPasscode(ctx context.Context, passcode string) error {
	if err := d.Member.SetPasscode(ctx, passcode); err != nil {
		return err
	}
	d.Passcode = passcode
	return nil
}

// RestartAccount begins an account anew with this device.
func (d *Device) RestartAccount(ctx context.Context, a *Account) error {
	if err := d.Member.ResetAccount(ctx, a.user, a.secret); err != nil {
		return err
	}
	d.joined = a
	return nil
}

// InAccount tells whether the device is, as far as it knows, in an account.
func (d *Device) InAccount() bool { return d.status().Joined }

// Unsynced returns how many changes wait for a sync.
func (d *Device) Unsynced() int { return d.status().Unsynced }

func (d *Device) status() keychain.Status {
	if d.Member == nil {
		return keychain.Status{}
	}
	return d.Member.Status()
}
