package world

import (
	"context"
	"errors"
	"fmt"

	"fido-emu/ctap/authenticator"
	"fido-emu/keychain"
	"fido-emu/scenarios/language"
)

// Lose puts the device into nobody's hands.
func (d *Device) Lose() { d.holder.in = nobodys }

// Find puts it back into its owner's.
func (d *Device) Find() { d.holder.in, d.holder.knows = owners, false }

// Steal puts it into those of a thief, who may know its PIN and passcode.
func (d *Device) Steal(knows bool) { d.holder.in, d.holder.knows = thiefs, knows }

// Wipe sets a computer or phone up anew: its passkeys, its settings and its part
// in a sync account are gone, and its TPM is cleared. The sync account is not
// told.
func (d *Device) Wipe(ctx context.Context) error {
	if d.chip != nil {
		if err := d.chip.clear(ctx); err != nil {
			return fmt.Errorf("clear the TPM: %w", err)
		}
	}
	if d.Member != nil {
		d.Member.Wipe()
		d.joined, d.asked = nil, ""
	} else if err := d.env.Credentials.Clear(); err != nil {
		return err
	}
	d.PIN = ""
	return d.restartWith(ctx, authenticator.Device{})
}

// restartWith powers the device off, and on with another state of its own.
func (d *Device) restartWith(ctx context.Context, state authenticator.Device) error {
	return d.replug(ctx, func() error {
		if err := d.env.Device.Save(state); err != nil {
			return err
		}
		return d.switchOn()
	})
}

// Clone makes a perfect copy of a device under another name.
func (w *World) Clone(ctx context.Context, d *Device, name string) error {
	if d.chip != nil {
		return Refuse(d.Name, "not-clonable", "keys do not leave the TPM of %s; its disk can be moved", d.Name)
	}
	snapshot, err := d.core.Snapshot()
	if err != nil {
		return err
	}
	twin, err := w.newDevice(ctx, language.Device{Name: name, Profile: d.Model.Name, Passcode: d.Passcode, Touch: "yes"})
	if err != nil {
		return err
	}
	twin.PIN = d.PIN
	if d.Member != nil {
		err = twin.cloneMember(ctx, d, snapshot.Device)
	} else {
		twin.core, err = authenticator.Restore(twin.Model.Profile, twin.env, snapshot)
	}
	if err != nil {
		return fmt.Errorf("clone %s: %w", d.Name, err)
	}
	w.devices = append(w.devices, twin)
	return nil
}

// cloneMember gives the device all that another has of a sync account.
func (d *Device) cloneMember(ctx context.Context, from *Device, state authenticator.Device) error {
	snapshot, err := from.Member.Snapshot()
	if err != nil {
		return err
	}
	if d.Member, err = keychain.RestoreDevice(snapshot, d.Link, d.keychainEnv()); err != nil {
		return err
	}
	d.env.Credentials = d.Member.Credentials()
	d.joined = from.joined
	return d.restartWith(ctx, state)
}

// MoveDisk puts all that one computer keeps on its disk into another, whose own
// disk goes. TPMs stay where they are.
func (w *World) MoveDisk(ctx context.Context, from, into *Device) error {
	if from.Member != nil || into.Member != nil || from == into {
		return errors.New("move-disk is for two computers without sync accounts")
	}
	snapshot, err := from.core.Snapshot()
	if err != nil {
		return err
	}
	if into.core, err = authenticator.Restore(into.Model.Profile, into.env, snapshot); err != nil {
		return err
	}
	into.Host.Forget()
	into.PIN = from.PIN
	if err := from.env.Credentials.Clear(); err != nil {
		return err
	}
	return from.restartWith(ctx, authenticator.Device{})
}
