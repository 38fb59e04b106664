package world

import (
	"slices"

	"fido-emu/ctap/authenticator"
	"fido-emu/fixtures"
	"fido-emu/scenarios/language"
)

// Shelved is a slot with an authenticator whose passkeys can be looked at without its
// help, as those of a phone or computer in its settings. Credentials may return nil.
type Shelved interface {
	Credentials() authenticator.Credentials
}

// Portable tells of a model that it is a key, which may be in any computer; others are
// phones and computers, which are themselves what passkeys are on.
func Portable(profile string) bool {
	model, err := Model(profile)
	return err == nil && model.Keys != fixtures.TPMKeys && model.Keys != fixtures.KeychainKeys && !slices.Contains(model.Transports, "internal")
}

// PlatformUnfit lists why no phone or computer in a slot can stand for a device of a
// scenario, be it of its model. What the scenario does to its sync account is not looked
// at.
func PlatformUnfit(s *language.Scenario, as language.Device) []string {
	model, err := Model(as.Profile)
	if err != nil {
		return []string{err.Error()}
	}
	reasons := append(untold(as), taken(s, model, as)...)
	if attested, _ := judges(s); attested && model.Attestation != authenticator.NoAttestation {
		reasons = append(reasons, "the scenario is about attestation, and its relying party trusts none but that of devices outside the bench")
	}
	return reasons
}

// store returns where the passkeys of the device are, nil where only the key tells of
// them.
func (d *Device) store() authenticator.Credentials {
	if d.key != nil {
		return d.key.store
	}
	return d.env.Credentials
}

// unshelve deletes what the scenario made in a slot with a shelf.
func (d *Device) unshelve() error {
	if d.key.before == 0 {
		return d.key.store.Clear()
	}
	for _, id := range d.key.made {
		stored, err := d.key.store.ByID(id)
		if err == nil && stored != nil {
			err = d.key.store.Delete(id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
