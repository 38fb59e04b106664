package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"fido-emu/fixtures/slots"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/steps"
	"fido-emu/scenarios/world"
)

// Phones and computers stand in slots of a bench as keys do: one with a TPM, one on a
// sync account, or an emulated one of such a model. Devices of their models go there as
// long as the slot is no different to the scenario. The others stand beside the slots,
// emulated as they are without a bench.

// isPlatform tells of a slot with a phone or computer in it.
func isPlatform(s *slots.Slot) bool { return s.Kind() != slots.RealKey && !world.Portable(s.Profile()) }

// wanted lists the devices of a scenario for which slots are to stand: all that are keys,
// and of phones and computers as many as there are slots for that may be used.
func (b *Bench) wanted(sc *language.Scenario, bound map[string]world.Bound, may func(*place) bool) (all []language.Device) {
	var platforms []language.Device
	for _, d := range sc.Devices {
		if _, taken := bound[d.Name]; taken {
			continue
		}
		if world.ForSlot(d) {
			all = append(all, d)
		} else {
			platforms = append(platforms, d)
		}
	}
	for _, d := range platforms {
		if !slices.ContainsFunc(b.places, func(p *place) bool { return p.platform && may(p) && len(p.unfit(sc, d)) == 0 }) {
			continue
		}
		if more := append(slices.Clip(all), d); b.match(sc, more, may) != nil {
			all = more
		}
	}
	return all
}

// unlike lists why the phone or computer in the slot cannot stand for a device.
func (p *place) unlike(sc *language.Scenario, d language.Device) []string {
	if profile := p.slot.Profile(); profile != d.Profile {
		return []string{"it is of the model " + profile}
	}
	return append(world.PlatformUnfit(sc, d), apart(sc, d)...)
}

// apart lists what the scenario does to a device that cannot be done to one in a slot,
// whose sync account is its own.
func apart(sc *language.Scenario, d language.Device) (reasons []string) {
	for _, o := range sc.Devices {
		if d.Account != "" && o.Account == d.Account && o.Name != d.Name {
			reasons = append(reasons, "it shares its sync account with "+o.Name+", and in a slot it has one of its own")
		}
	}
	for _, c := range sc.Steps {
		if what := beyondSlot(c, d); what != "" {
			return append(reasons, fmt.Sprintf("line %d: %s", c.At.Line, what))
		}
	}
	model, err := world.Model(d.Profile)
	for _, a := range sc.Accounts {
		if err == nil && model.Provider != "" && (a.Provider != "" && a.Provider != model.Provider || a.Behaviour != "") {
			return append(reasons, "the sync provider of its scenario is another one")
		}
	}
	return reasons
}

// beyondSlot says why a step cannot be done with a phone or computer in a slot; empty
// where it can.
func beyondSlot(c language.Call, d language.Device) string {
	about := steps.Touches(c, d.Name) || c.Subject == d.Name
	of := d.Account != "" && (c.Subject == d.Account || c.Text("account") == d.Account)
	switch {
	case about && steps.BeyondReal(c) != "":
		return c.Usage.Verb + " cannot be done to what is in a slot"
	case (about || of) && c.Usage.Group == steps.GroupSync, of, about && (c.Has("in-account") || c.Has("unsynced")):
		return c.Usage.Verb + " is about the sync account of the scenario, and a slot has one of its own"
	}
	return ""
}

// beside says of the phones and computers of a scenario that are in no slot why they are
// not, by name. In slots are those for which keys are bound, and those that are given.
func (b *Bench) beside(sc *language.Scenario, bound map[string]world.Bound, given []language.Device, may func(*place) bool) map[string]string {
	why := map[string]string{}
	for _, d := range sc.Devices {
		_, in := bound[d.Name]
		in = in || slices.ContainsFunc(given, func(g language.Device) bool { return g.Name == d.Name })
		if !in && !world.ForSlot(d) {
			why[d.Name] = b.whyBeside(sc, d, may)
		}
	}
	return why
}

func (b *Bench) whyBeside(sc *language.Scenario, d language.Device, may func(*place) bool) string {
	why := "the bench has no slot with the model " + d.Profile
	for _, p := range b.places {
		if !p.platform || p.slot.Profile() != d.Profile {
			continue
		}
		switch reasons := p.unfit(sc, d); {
		case p.aside != "":
			why = "slot " + p.slot.Name + " is set aside"
		case len(reasons) > 0:
			why = strings.Join(reasons, "; ")
		case !may(p):
			why = "slot " + p.slot.Name + " went wrong in an earlier attempt"
		default:
			return "the slots with the model " + d.Profile + " are those of other devices"
		}
	}
	return why
}
