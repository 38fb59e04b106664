package hidraw

import (
	"errors"
	"fmt"
	"strings"
)

// Selector says which device is meant. What is empty does not matter.
type Selector struct {
	Path   string // the node; good for a glance, not for a file that is kept
	Port   string
	Serial string
}

// Errors of Select.
var (
	// ErrNone is in the error when no device is the one that is meant.
	ErrNone = errors.New("no such FIDO device is plugged in")
	// ErrSeveral is in the error when more than one is.
	ErrSeveral = errors.New("several FIDO devices are meant")
)

// ParseSelector reads a selector: port=1-2.3, serial=0123, both with a comma between
// them, a node such as /dev/hidraw3, or nothing for the only device there is.
func ParseSelector(text string) (Selector, error) {
	if strings.HasPrefix(text, "/") {
		return Selector{Path: text}, nil
	}
	var s Selector
	if text == "" {
		return s, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		switch {
		case value == "":
			return Selector{}, wrongSelector(text)
		case key == "port":
			s.Port = value
		case key == "serial":
			s.Serial = value
		default:
			return Selector{}, wrongSelector(text)
		}
	}
	return s, nil
}

func wrongSelector(text string) error {
	return fmt.Errorf("hidraw: %q names no device; allowed are port=1-2.3, serial=NUMBER, both with a comma between them, and /dev/hidrawN", text)
}

// String is what ParseSelector reads.
func (s Selector) String() string {
	if s.Path != "" {
		return s.Path
	}
	var parts []string
	if s.Port != "" {
		parts = append(parts, "port="+s.Port)
	}
	if s.Serial != "" {
		parts = append(parts, "serial="+s.Serial)
	}
	return strings.Join(parts, ",")
}

// Match tells whether a device is one that is meant.
func (s Selector) Match(d Device) bool {
	return (s.Path == "" || s.Path == d.Path) && (s.Port == "" || s.Port == d.Port) && (s.Serial == "" || s.Serial == d.Serial)
}

// Select returns the one device that is meant. The error wraps ErrNone or ErrSeveral
// and lists what there is.
func (s Selector) Select(devices []Device) (Device, error) {
	var found []Device
	for _, d := range devices {
		if s.Match(d) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return Device{}, fmt.Errorf("hidraw: %w: %s%s", ErrNone, orAny(s), list("; plugged in", devices))
	case 1:
		return found[0], nil
	}
	return Device{}, fmt.Errorf("hidraw: %w by %s%s", ErrSeveral, orAny(s), list("; say which by port or serial", found))
}

func orAny(s Selector) string {
	if s == (Selector{}) {
		return "any"
	}
	return s.String()
}

func list(what string, devices []Device) string {
	if len(devices) == 0 {
		return ""
	}
	lines := []string{what + ":"}
	for _, d := range devices {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n  ")
}
