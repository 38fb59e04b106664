package world

import (
	"crypto/x509"
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
	return append(untold(as), taken(s, model, as)...)
}

// Attested is a slot with an emulated authenticator, which is attested to by an authority
// of its own. It may return nil.
type Attested interface {
	AttestationRoot() *x509.Certificate
}

// slotRoots returns the certificates that the relying party is to trust, because slots
// with authenticators of the models of the scenario attest with them.
func (w *World) slotRoots() (all []*x509.Certificate) {
	for _, d := range w.Scenario.Devices {
		bound := w.options.Bound[d.Name]
		if attested, ok := bound.Slot.(Attested); ok && bound.Trusted && attested.AttestationRoot() != nil {
			all = append(all, attested.AttestationRoot())
		}
	}
	return all
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
