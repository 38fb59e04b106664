package scenarios

import (
	"fmt"

	"fido-emu/scenarios/language"
	"fido-emu/scenarios/steps"
)

// onReal calls each with every step that is about a device for which a real key
// stands, in order, until it returns false.
func (a *attempt) onReal(each func(device string, c language.Call) bool) {
	for _, d := range a.scenario.Devices {
		if _, bound := a.loan.bound[d.Name]; !bound {
			continue
		}
		for _, c := range a.scenario.Steps {
			if steps.Touches(c, d.Name) && !each(d.Name, c) {
				return
			}
		}
	}
}

// beyondReal says why the scenario cannot be run with the keys that are bound; empty
// when nothing is known that speaks against it.
func (a *attempt) beyondReal() (why string) {
	a.onReal(func(device string, c language.Call) bool {
		if reason := steps.BeyondReal(c); reason != "" {
			why = fmt.Sprintf("a key is bound to %s, and in line %d, %s", device, c.At.Line, reason)
		}
		return why == ""
	})
	return why
}

// harmed lists the devices that the scenario would harm if they were real keys.
func (a *attempt) harmed() (devices []string) {
	a.onReal(func(device string, c language.Call) bool {
		if steps.Harms(c) {
			devices = append(devices, device)
		}
		return true
	})
	return devices
}
