package hid

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FaultKind is a way in which a wire goes wrong.
type FaultKind string

// The kinds of fault. Those that do not say otherwise can go either way.
const (
	Drop              FaultKind = "drop"               // the report is lost
	Duplicate         FaultKind = "duplicate"          // it comes twice
	Reorder           FaultKind = "reorder"            // it comes after the next one
	Delay             FaultKind = "delay"              // it, and all after it, comes later
	Corrupt           FaultKind = "corrupt"            // bits of one byte flip
	WrongChannel      FaultKind = "wrong-channel"      // it names a channel that nobody has
	WrongSequence     FaultKind = "wrong-sequence"     // a continuation packet has the next number
	KeepalivesStop    FaultKind = "keepalives-stop"    // to the host: from this keepalive on the device is silent, until CTAPHID_INIT
	KeepalivesForever FaultKind = "keepalives-forever" // to the host: instead of this answer to CTAPHID_CBOR keepalives come, until CTAPHID_INIT
	Unplug            FaultKind = "unplug"             // the connection ends where the report would have come
)

var faultKinds = []FaultKind{
	Drop, Duplicate, Reorder, Delay, Corrupt, WrongChannel, WrongSequence, KeepalivesStop, KeepalivesForever, Unplug,
}

// Direction is the way that a report goes.
type Direction string

// The directions.
const (
	ToHost   Direction = "to-host"
	ToDevice Direction = "to-device"
)

// Fault is one thing that goes wrong, as data: a quirk of a profile or a step of a
// scenario.
type Fault struct {
	Kind      FaultKind `yaml:"kind" json:"kind"`
	Direction Direction `yaml:"direction,omitempty" json:"direction,omitempty"` // [ToHost]
	// Command restricts the fault to reports of messages of one command, such as
	// CTAPHID_CBOR; 0 for all.
	Command Command `yaml:"command,omitempty" json:"command,omitempty"`
	// Report says which report is hit, counted from 1 among those that the fault
	// concerns: its direction, its command, and for the kinds that name one its sort of
	// packet [1].
	Report int `yaml:"report,omitempty" json:"report,omitempty"`
	// Count is how many in a row are hit [1]; -1 for all from there on.
	Count int `yaml:"count,omitempty" json:"count,omitempty"`

	Delay  time.Duration `yaml:"delay,omitempty" json:"delay,omitempty"`   // of a Delay
	Offset int           `yaml:"offset,omitempty" json:"offset,omitempty"` // of the byte that a Corrupt changes
	Mask   byte          `yaml:"mask,omitempty" json:"mask,omitempty"`     // the bits that it flips [0xFF]
}

// Check tells what is wrong with a fault as data.
func (f Fault) Check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("unknown fault %q: one of %q", f.Kind, faultKinds)
	case f.Direction != "" && f.Direction != ToHost && f.Direction != ToDevice:
		return fmt.Errorf("fault %s: unknown direction %q: to-host or to-device", f.Kind, f.Direction)
	case f.Direction == ToDevice && (f.Kind == KeepalivesStop || f.Kind == KeepalivesForever):
		return fmt.Errorf("fault %s: keepalives go to the host", f.Kind)
	case f.Report < 0 || f.Count < -1:
		return fmt.Errorf("fault %s: report %d, count %d: reports count from 1, and a count of -1 means all", f.Kind, f.Report, f.Count)
	case f.Kind == Delay && f.Delay <= 0:
		return fmt.Errorf("fault %s: no delay is given", f.Kind)
	case f.Offset < 0:
		return fmt.Errorf("fault %s: offset %d", f.Kind, f.Offset)
	}
	return nil
}

func (f Fault) direction() Direction { return orElse(f.Direction, ToHost) }

// concerns tells whether a packet counts for the fault. command is that of the message
// that it belongs to.
func (f Fault) concerns(p Packet, command Command) bool {
	switch f.Kind {
	case WrongSequence:
		if p.Initial {
			return false
		}
	case KeepalivesStop:
		return p.Initial && command == Keepalive
	case KeepalivesForever:
		return p.Initial && command == CBOR
	}
	return f.Command == 0 || f.Command == command
}

// hits tells whether the nth packet that concerns the fault is hit.
func (f Fault) hits(n int) bool {
	first := orElse(f.Report, 1)
	return n >= first && (f.Count == -1 || n < first+orElse(f.Count, 1))
}

// MarshalText writes the command's name, such as CTAPHID_CBOR, or its number, such as
// 0x41.
func (c Command) MarshalText() ([]byte, error) {
	if name := c.String(); !strings.Contains(name, " ") {
		return []byte(name), nil
	}
	return fmt.Appendf(nil, "0x%02X", byte(c)), nil
}

// UnmarshalText reads what MarshalText writes; CTAPHID_ may be left out.
func (c *Command) UnmarshalText(text []byte) error {
	name := "CTAPHID_" + strings.TrimPrefix(strings.ToUpper(string(text)), "CTAPHID_")
	for _, known := range []Command{Ping, Msg, Lock, Init, Wink, CBOR, Cancel, Keepalive, ErrorReply} {
		if known.String() == name {
			*c = known
			return nil
		}
	}
	n, err := strconv.ParseUint(string(text), 0, 7)
	if err != nil {
		return fmt.Errorf("unknown CTAPHID command %q: a name such as CBOR, or a number up to 0x7F", text)
	}
	*c = Command(n)
	return nil
}
