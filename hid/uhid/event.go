package uhid

import (
	"encoding/binary"
	"fmt"

	"fido-emu/hid"
)

// eventType is the first member of struct uhid_event (linux/uhid.h).
type eventType uint32

const (
	eventDestroy        eventType = 1
	eventStart          eventType = 2
	eventStop           eventType = 3
	eventOpen           eventType = 4
	eventClose          eventType = 5
	eventOutput         eventType = 6
	eventGetReport      eventType = 9
	eventGetReportReply eventType = 10
	eventCreate2        eventType = 11
	eventInput2         eventType = 12
	eventSetReport      eventType = 13
	eventSetReportReply eventType = 14
)

// Offsets within struct uhid_event, which is packed: the type, then a union.
const (
	eventSize = 4380
	union     = 4

	outputSize = union + 4096
	outputType = union + 4098

	createPhys = union + 128
	createUniq = union + 192
	createSize = union + 256
	createData = union + 276
)

// reportTypeOutput is enum uhid_report_type's UHID_OUTPUT_REPORT.
const reportTypeOutput = 1

// errnoEIO is what a FIDO device answers to GET_REPORT and SET_REPORT, having no
// reports to get or set (errno.h).
const errnoEIO = 5

// event is what the kernel tells a device.
type event struct {
	kind   eventType
	id     uint32 // of a GET_REPORT or SET_REPORT
	report []byte // of an OUTPUT, as the kernel has it
}

// parseEvent reads what one read of /dev/uhid gave.
func parseEvent(b []byte) (event, error) {
	if len(b) < union {
		return event{}, fmt.Errorf("an event of %d bytes", len(b))
	}
	e := event{kind: eventType(binary.LittleEndian.Uint32(b))}
	switch e.kind {
	case eventGetReport, eventSetReport:
		if len(b) < union+4 {
			return event{}, fmt.Errorf("a request of %d bytes", len(b))
		}
		e.id = binary.LittleEndian.Uint32(b[union:])
	case eventOutput:
		if len(b) < outputType+1 {
			return event{}, fmt.Errorf("an output event of %d bytes", len(b))
		}
		size := int(binary.LittleEndian.Uint16(b[outputSize:]))
		if b[outputType] == reportTypeOutput && size <= outputSize-union {
			e.report = b[union : union+size]
		}
	}
	return e, nil
}

// outputReport returns the report in an OUTPUT event. What is written to a hidraw
// node begins with a report number, which the kernel hands on; from other places the
// report comes without. A report of another length than size is none.
func outputReport(b []byte, size int) (hid.Report, bool) {
	switch {
	case len(b) == size+1 && b[0] == 0:
		b = b[1:]
	case len(b) != size:
		return nil, false
	}
	return append(hid.Report(nil), b...), true
}

func newEvent(kind eventType, size int) []byte {
	b := make([]byte, size)
	binary.LittleEndian.PutUint32(b, uint32(kind))
	return b
}

func destroyEvent() []byte { return newEvent(eventDestroy, union) }

// inputEvent is UHID_INPUT2. The kernel takes what is missing of an event for zero.
func inputEvent(r hid.Report) []byte {
	b := newEvent(eventInput2, union+2+len(r))
	binary.LittleEndian.PutUint16(b[union:], uint16(len(r)))
	copy(b[union+2:], r)
	return b
}

// refusal answers a GET_REPORT or SET_REPORT with EIO.
func refusal(reply eventType, id uint32) []byte {
	b := newEvent(reply, union+8)
	binary.LittleEndian.PutUint32(b[union:], id)
	binary.LittleEndian.PutUint16(b[union+4:], errnoEIO)
	return b
}

// busUSB is BUS_USB of linux/input.h; libfido2 leaves devices of other buses alone.
const busUSB = 3

// createEvent is UHID_CREATE2 for a checked Config.
func createEvent(c Config, descriptor []byte) []byte {
	b := newEvent(eventCreate2, createData+len(descriptor))
	copy(b[union:], c.Name)
	copy(b[createPhys:], c.Phys)
	copy(b[createUniq:], c.Uniq)
	at := binary.LittleEndian.AppendUint16(b[createSize:createSize], uint16(len(descriptor)))
	at = binary.LittleEndian.AppendUint16(at, busUSB)
	at = binary.LittleEndian.AppendUint32(at, uint32(c.Vendor))
	at = binary.LittleEndian.AppendUint32(at, uint32(c.Product))
	binary.LittleEndian.AppendUint32(at, uint32(c.Version))
	copy(b[createData:], descriptor)
	return b
}
