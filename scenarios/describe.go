package scenarios

import (
	"fido-emu/report"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// scenario describes a scenario for the reports, with the keys that are bound to its
// devices.
func (s *suite) scenario(sc *language.Scenario, bound map[string]world.Bound) *report.Scenario {
	r := &report.Scenario{
		ID: sc.ID, Title: sc.Title, Purpose: sc.Purpose, Labels: sc.Labels, Covers: sc.Covers, Location: sc.At,
		Steps: len(sc.Steps), Attempts: s.attempts(),
	}
	for _, c := range sc.Matrix {
		if r.Matrix == nil {
			r.Matrix = map[string]string{}
		}
		r.Matrix[c.Name] = c.Value
	}
	for _, d := range sc.Devices {
		r.Devices = append(r.Devices, report.Device{Name: d.Name, Profile: d.Profile, Reached: s.world(bound).Reached(d)})
	}
	return r
}

// world says how a world of the run is made, with the keys that are bound in it.
func (s *suite) world(bound map[string]world.Bound) world.Options {
	return world.Options{Seed: s.Seed, Via: s.Via, TPM: s.TPM, Bound: bound, Hand: s.Hand, Harm: s.Harm, RP: s.RP, Archive: s.archive}
}

func describeStep(c language.Call) *report.Step {
	return &report.Step{Verb: c.Usage.Verb, Text: c.Sentence(), Location: c.At, Expected: c.Expected()}
}
