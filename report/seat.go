package report

import (
	"fmt"
	"slices"
	"strings"
)

// Sits says what sits in the slot: its model, firmware and serial number, as far as they
// are known. A serial number that is only the slot's name is left out.
func (s Seat) Sits() string {
	var parts []string
	if s.Model != "" {
		parts = append(parts, s.Model)
	}
	if s.Firmware != "" {
		parts = append(parts, "firmware "+s.Firmware)
	}
	if s.Serial != "" && s.Serial != s.Name {
		parts = append(parts, "serial "+s.Serial)
	}
	return strings.Join(parts, ", ")
}

// Where says how the device was reached, without the slot that it was in.
func (d Device) Where() string {
	if d.Slot == nil {
		return d.Reached
	}
	where := strings.TrimPrefix(d.Reached, "slot "+d.Slot.Name)
	return strings.TrimPrefix(where, ", ")
}

// seat says in which slot the device was, what sits there and how it was reached.
func (d Device) seat() string {
	all := []string{d.Slot.Name, d.Slot.Sits(), d.Where()}
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), ", ")
}

// seated returns the devices of the attempt that were in slots of a bench.
func (a *Attempt) seated() (all []Device) {
	for _, d := range a.Devices {
		if d.Slot != nil {
			all = append(all, d)
		}
	}
	return all
}

// Seated tells whether any of them was.
func (a *Attempt) Seated() bool { return len(a.seated()) > 0 }

// places says of the devices of the attempt in which slots they were, one a line.
func (a *Attempt) places() (lines []string) {
	for _, d := range a.Devices {
		switch {
		case d.Slot != nil:
			lines = append(lines, fmt.Sprintf("%s in slot %s", d.Name, d.seat()))
		case d.Beside != "":
			lines = append(lines, fmt.Sprintf("%s beside the slots: %s", d.Name, d.Beside))
		}
	}
	return lines
}

// slotRun is an attempt in which a slot took part.
type slotRun struct {
	*Attempt
	Scenario *ScenarioResult
}

// runsOn lists the attempts in which slots took part, by the names of the slots.
func (m *Model) runsOn() map[string][]slotRun {
	all := map[string][]slotRun{}
	for _, sc := range m.Scenarios {
		for _, a := range sc.Attempts {
			for _, d := range a.seated() {
				all[d.Slot.Name] = append(all[d.Slot.Name], slotRun{a, sc})
			}
		}
	}
	return all
}
