// Package descriptor reads and writes the HID report descriptors of FIDO devices
// (Device Class Definition for HID 1.11, section 6.2.2; CTAP 2.3, section 11.2.8.2).
//
// A host knows a FIDO device by one thing, a top-level collection with the usage
// CTAPHID of the FIDO usage page, and takes the sizes of the reports from the items
// inside it. Use Parse to do that, and FIDO to describe a device of one's own.
package descriptor

import "errors"

// Usages of CTAP 2.3, section 11.2.8.2: the page in the upper half, as a usage item
// of four bytes has it.
const (
	usagePageFIDO = 0xf1d0
	usageCTAPHID  = usagePageFIDO<<16 | 0x01
)

// MaxSize is the longest report descriptor in bytes that Linux takes
// (HID_MAX_DESCRIPTOR_SIZE); Parse reads no longer one.
const MaxSize = 4096

// maxReport bounds the reports that Parse takes for real, in bytes. USB's longest
// interrupt packet has 1024.
const maxReport = 1024

// Reasons for which Parse refuses a descriptor.
var (
	// ErrNotFIDO means that the descriptor has no FIDO collection.
	ErrNotFIDO = errors.New("no collection with usage page F1D0 and usage 01: not a FIDO device")
	// ErrMalformed means that the descriptor cannot be read.
	ErrMalformed = errors.New("malformed HID report descriptor")
)

// Reports says how a FIDO device's reports look.
type Reports struct {
	Input    int  // length in bytes of a report from the device, without report number
	Output   int  // length in bytes of a report to the device, without report number
	Numbered bool // reports start with a report number
	InputID  byte // the report number of input reports, when numbered
	OutputID byte // the report number of output reports, when numbered
}

// FIDO returns the report descriptor of a device whose reports have size bytes in
// both directions, from 1 to 255. With 64 it is the one printed in CTAP 2.3, section
// 11.2.8.2.
func FIDO(size uint8) []byte {
	return []byte{
		0x06, 0xd0, 0xf1, // usage page (FIDO)
		0x09, 0x01, // usage (CTAPHID)
		0xa1, 0x01, // collection (application)
		0x09, 0x20, // usage (input report data)
		0x15, 0x00, // logical minimum (0)
		0x26, 0xff, 0x00, // logical maximum (255)
		0x75, 0x08, // report size (8)
		0x95, size, // report count
		0x81, 0x02, // input (data, variable, absolute)
		0x09, 0x21, // usage (output report data)
		0x15, 0x00, // logical minimum (0)
		0x26, 0xff, 0x00, // logical maximum (255)
		0x75, 0x08, // report size (8)
		0x95, size, // report count
		0x91, 0x02, // output (data, variable, absolute)
		0xc0, // end collection
	}
}
