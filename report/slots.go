package report

import (
	"fmt"
	"strings"
)

// SlotUse is how a slot of a bench fared in a run.
type SlotUse struct {
	Seat
	Reached  string   `json:"reached,omitempty"` // when it was opened last
	Tags     []string `json:"tags,omitempty"`
	Used     int      `json:"used"`               // attempts at scenarios
	Before   string   `json:"before"`             // what was thought of it: good, suspect, bad or maintenance
	After    string   `json:"after"`              //
	Key      string   `json:"key,omitempty"`      // what is on its key; unknown where that could not be told
	Faults   []string `json:"faults,omitempty"`   // what it did to scenarios, in order
	SetAside string   `json:"setAside,omitempty"` // why it is not used any more
	Waited   string   `json:"waited,omitempty"`   // for whom the run had to wait
}

// Marks says what is worth looking at about the slot; empty when all was well.
func (s SlotUse) Marks() string {
	var parts []string
	if len(s.Faults) > 0 {
		parts = append(parts, plural(len(s.Faults), "fault"))
	}
	if s.SetAside != "" {
		parts = append(parts, "set aside")
	}
	return strings.Join(parts, ", ")
}

// slotLine sums up how the slots of a bench fared; empty without one.
func slotLine(all []SlotUse) string {
	if len(all) == 0 {
		return ""
	}
	var worth []string
	used := 0
	for _, s := range all {
		if s.Used > 0 {
			used++
		}
		if marks := s.Marks(); marks != "" {
			worth = append(worth, fmt.Sprintf("%s: %s (%s)", s.Name, marks, s.After))
		}
	}
	line := fmt.Sprintf("%s, %d used", plural(len(all), "slot"), used)
	if len(worth) > 0 {
		line += "; " + strings.Join(worth, "; ")
	}
	return line
}
