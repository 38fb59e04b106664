// Package hid carries CTAP over USB HID (CTAP 2.3, section 11.2): the framing,
// the channels and the transactions, in both roles. [Serve] is the device, [Dial]
// the host; between them stands a [Conn], which is a kernel device, a USB endpoint,
// a socket or a pair of pipes in memory.
package hid

import "context"

// ReportSize is the size in bytes of a FIDO HID report that nearly every device
// uses; a host takes it from the report descriptor.
const ReportSize = 64

// MaxMessage is the longest message in bytes with reports of 64 bytes: one
// initialisation packet and 128 continuation packets.
const MaxMessage = ReportSize - 7 + 128*(ReportSize-5)

// Report is one HID report as CTAPHID sees it, without a report number. Nobody
// changes a report once it was written.
type Report []byte

// Conn moves reports between a device and a host. ReadReport and WriteReport may
// be called at the same time from two goroutines, each from one at a time.
type Conn interface {
	// ReadReport waits for a report from the other side. The error is ctx's when ctx
	// ends first, and wraps io.EOF or ErrUnplugged when the other side is gone. On
	// the device's side it may wrap ErrPowerCycle, after which reading goes on.
	ReadReport(ctx context.Context) (Report, error)
	// WriteReport sends a report. A report of another length than the connection's
	// is an error. After an error the connection is over. It may wait for the other
	// side to take reports; Close ends the wait.
	WriteReport(r Report) error
	// Sizes returns the length of the reports that are read and written.
	Sizes() (read, write int)
	// Close ends both directions; a ReadReport that waits returns. A second Close
	// does nothing.
	Close() error
}
