package scenarios

import (
	"fido-emu/report"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// scenario describes a scenario for the reports.
func (s *suite) scenario(sc *language.Scenario) *report.Scenario {
	r := &report.Scenario{
		ID: sc.ID, Title: sc.Title, Purpose: sc.Purpose, Labels: sc.Labels, Covers: sc.Covers, Location: sc.At,
		Steps: len(sc.Steps), Attempts: 1 + s.Retries,
	}
	for _, c := range sc.Matrix {
		if r.Matrix == nil {
			r.Matrix = map[string]string{}
		}
		r.Matrix[c.Name] = c.Value
	}
	for _, d := range sc.Devices {
		r.Devices = append(r.Devices, report.Device{Name: d.Name, Profile: d.Profile, Reached: s.world().Reached(d)})
	}
	return r
}

// world says how the worlds of the run are made.
func (s *suite) world() world.Options {
	return world.Options{Seed: s.Seed, Via: s.Via, TPM: s.TPM, Bound: s.Bound, Hand: s.Hand, Harm: s.Harm, RP: s.RP, Archive: s.archive}
}

func describeStep(c language.Call) *report.Step {
	return &report.Step{Verb: c.Usage.Verb, Text: c.Sentence(), Location: c.At, Expected: c.Expected()}
}
