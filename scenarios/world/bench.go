package world

import (
	"context"
	"fmt"
	"slices"

	"fido-emu/ctap"
	"fido-emu/fixtures"
	"fido-emu/scenarios/language"
)

// Slot is a slot of a bench that was lent to a device of the scenario: the key in it,
// with what touches it and switches its power. Whoever lent it takes it back.
type Slot interface {
	ctap.Authenticator
	PowerCycle(ctx context.Context) error
	Where() string  // how the key is reached
	Serial() string // as the key says it; empty for none
}

// outside is a key that is in nobody's hands here.
type outside interface {
	Slot
	Close() error
}

// inSlot is the key of a slot.
type inSlot struct {
	Slot
	name string
}

func (s inSlot) Where() string { return "slot " + s.name + ", " + s.Slot.Where() }
func (s inSlot) Close() error  { return nil }
func (s inSlot) Serial() string {
	if serial := s.Slot.Serial(); serial != "" {
		return serial
	}
	return s.name
}

// Told is a slot that tells of every touch as it begins.
type Told interface{ OnTouch(func()) }

// Fault is something that the bench did to the scenario: a finger that did not move, a
// key that was suddenly not there. Whatever a step says of it, no party of the scenario
// is to blame.
type Fault struct {
	Device, Slot string
	Err          error
}

// blame remembers what went wrong between the harness and a key in a slot, and returns
// err. What ended because the step did is none of the slot's faults.
func (d *Device) blame(ctx context.Context, err error) error {
	if err == nil || d.key.bound.Name == "" || ctx.Err() != nil {
		return err
	}
	w := d.world
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, Fault{d.Name, d.key.bound.Name, err})
	d.key.unsure = true
	return err
}

// Faults returns what the bench did to the scenario so far, in order.
func (w *World) Faults() []Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.faults)
}

// Unsure tells of a slot whether what the scenario left on its key is not known. It is
// asked when the world was closed.
func (w *World) Unsure(slot string) bool {
	blamed := slices.ContainsFunc(w.Faults(), func(f Fault) bool { return f.Slot == slot })
	return blamed || slices.ContainsFunc(w.devices, func(d *Device) bool { return d.key != nil && d.key.bound.Name == slot && d.key.unsure })
}

// ForSlot tells of a device of a scenario whether it is a key, for which one in a slot of
// a bench has to stand. Phones and computers, devices of sync accounts and those with a
// TPM, may be in a slot of their model ([PlatformUnfit]).
func ForSlot(as language.Device) bool {
	return Portable(as.Profile)
}

// StealVerb is the verb of the step that puts a device into the hands of a thief.
const StealVerb = "steal"

// Unfit lists why a key cannot stand for a device of a scenario, by what it says of
// itself; a nil info lists what holds of every key. That of a trusted one, which is
// emulated and of the model of the device, the relying party knows to be what it is. PINs
// are not looked at.
func Unfit(s *language.Scenario, as language.Device, info *ctap.Info, trusted bool) []string {
	model, err := Model(as.Profile)
	if err != nil {
		return []string{err.Error()}
	}
	reasons := append(beyond(model, as), taken(s, model, as)...)
	if info != nil {
		reasons = slices.Concat(unlike(model, info), reasons)
		if model.LargeBlobs && !info.Options["largeBlobs"] && slices.ContainsFunc(s.Steps, blobs) {
			reasons = append(reasons, "the scenario is about large blobs (largeBlobs), which the key has not")
		}
		if info.Options["alwaysUv"] && !info.Options["uv"] && !model.AlwaysUV && as.PIN == "" {
			reasons = append(reasons, "the key always verifies its user (alwaysUv), and the scenario gives it no PIN")
		}
	}
	if trusted {
		return reasons
	}
	return append(reasons, unknown(s, model, info)...)
}

// taken says of a device that a thief gets why no slot will do.
func taken(s *language.Scenario, model *fixtures.Profile, as language.Device) []string {
	if model.BuiltInUV != "" && slices.ContainsFunc(s.Steps, func(c language.Call) bool { return c.Usage.Verb == StealVerb && c.Subject == as.Name }) {
		return []string{"the scenario has it stolen, and the finger that touches it stays its owner's"}
	}
	return nil
}

// blobs tells of a step that is about blobs of passkeys.
func blobs(c language.Call) bool { return c.Has("large-blob") || c.Has("cred-blob") }

// unknown lists where the relying party of the scenario would not take a key for what
// it is: it trusts the authority of the scenario, and may know models.
func unknown(s *language.Scenario, model *fixtures.Profile, info *ctap.Info) (reasons []string) {
	attested, models := judges(s)
	if attested {
		reasons = append(reasons, "the scenario is about attestation, and its relying party trusts none but that of emulated devices")
	}
	if models && info != nil && ctap.AAGUID(info.AAGUID) != model.AAGUID {
		reasons = append(reasons, fmt.Sprintf("the scenario has a policy on models, and the key is not of the model %s", model.Name))
	}
	return reasons
}
