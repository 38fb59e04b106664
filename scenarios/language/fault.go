package language

import (
	"fmt"

	"fido-emu/hid"
)

// Fault is something that goes wrong on a device's wire.
type Fault struct {
	Name string // that the writer gave it; may be empty
	hid.Fault
}

// FaultOf reads a fault out of a mapping or a step; see [FaultMembers].
func FaultOf(name string, v Value) (Fault, error) {
	f := Fault{Name: name, Fault: hid.Fault{
		Kind: hid.FaultKind(v.Field("kind").Word("")), Direction: hid.Direction(v.Field("direction").Word("")),
		Report: number(v.Field("report")), Count: number(v.Field("count")), Offset: number(v.Field("offset")), Delay: duration(v.Field("delay")),
	}}
	if v.Field("for-ever").Yes() {
		f.Count = -1
	}
	if command := v.Field("command").Word(""); command != "" {
		if err := f.Command.UnmarshalText([]byte(command)); err != nil {
			return f, err
		}
	}
	return f, f.Check()
}

// String describes the fault in a few words for people.
func (f Fault) String() string {
	s := string(f.Kind)
	if f.Name != "" {
		s = f.Name + " (" + s + ")"
	}
	if f.Command != 0 {
		s += fmt.Sprintf(", %s", f.Command)
	}
	if f.Report > 1 {
		s += fmt.Sprintf(", report %d", f.Report)
	}
	return s
}

func faultKinds() []string {
	var names []string
	for _, k := range []hid.FaultKind{
		hid.Drop, hid.Duplicate, hid.Reorder, hid.Delay, hid.Corrupt, hid.WrongChannel, hid.WrongSequence,
		hid.KeepalivesStop, hid.KeepalivesForever, hid.Unplug,
	} {
		names = append(names, string(k))
	}
	return names
}

func faultCommands() []string {
	var names []string
	for _, c := range []hid.Command{hid.CBOR, hid.Msg, hid.Init, hid.Keepalive, hid.Cancel, hid.ErrorReply, hid.Ping, hid.Wink, hid.Lock} {
		names = append(names, c.String())
	}
	return names
}
