package world

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/platform"
)

// Passkeys returns how many discoverable passkeys are on the device. Those that a key
// had before the scenario do not count.
func (d *Device) Passkeys(ctx context.Context) (int, error) {
	if d.key == nil {
		return d.env.Credentials.Count()
	}
	if !d.key.counted {
		return 0, &Missing{"the key bound to " + d.Name + " does not tell how many passkeys it holds"}
	}
	n, err := d.held(ctx)
	return int(n) - int(d.key.before), err
}

// Passkey returns whose a passkey is that is on the device, nil when it is not there.
func (d *Device) Passkey(ctx context.Context, id []byte) (*ctap.User, error) {
	if d.store() == nil {
		user, _, err := d.listed(ctx, id)
		return user, err
	}
	stored, err := d.store().ByID(id)
	if err != nil || stored == nil {
		return nil, err
	}
	return &stored.User, nil
}

// listed finds a passkey in what a key lists for the relying party.
func (d *Device) listed(ctx context.Context, id []byte) (*ctap.User, *platform.Token, error) {
	token, err := d.managing(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, err := d.Host.StoredCredentials(ctx, token, d.world.Scenario.Site.ID)
	for i := range all {
		if bytes.Equal(all[i].ID, id) {
			return &all[i].User, token, nil
		}
	}
	return nil, token, err
}

// RenamePasskey changes the display name of the account of a passkey on the device.
func (d *Device) RenamePasskey(ctx context.Context, id []byte, to string) error {
	if d.store() == nil {
		user, token, err := d.listed(ctx, id)
		if err != nil || user == nil {
			return d.absent(id, err)
		}
		user.DisplayName = to
		return d.Host.UpdateUser(ctx, token, id, *user)
	}
	return d.onStore(id, func(store authenticator.Credentials, stored *authenticator.Credential) error {
		changed := *stored
		changed.User.DisplayName = to
		return store.Put(&changed)
	})
}

// DeletePasskey deletes a passkey on the device.
func (d *Device) DeletePasskey(ctx context.Context, id []byte) error {
	if d.store() == nil {
		user, token, err := d.listed(ctx, id)
		if err != nil || user == nil {
			return d.absent(id, err)
		}
		return d.Host.DeleteCredential(ctx, token, id)
	}
	return d.onStore(id, func(store authenticator.Credentials, stored *authenticator.Credential) error {
		return store.Delete(stored.ID)
	})
}

// onStore changes a passkey in the store of the device.
func (d *Device) onStore(id []byte, change func(authenticator.Credentials, *authenticator.Credential) error) error {
	stored, err := d.store().ByID(id)
	if err != nil || stored == nil {
		return d.absent(id, err)
	}
	return change(d.store(), stored)
}

// absent says that a passkey is not on the device, or why that is not known.
func (d *Device) absent(id []byte, err error) error {
	if err != nil {
		return fmt.Errorf("passkeys on %s: %w", d.Name, err)
	}
	return Refuse(d.Name, PasskeyAbsent, "passkey %s is not there", hex.EncodeToString(id[:min(6, len(id))]))
}
