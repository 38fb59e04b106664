package usbip

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
)

// Identity is what a key says of itself to the host. Vendor and Product must not be
// a real company's unless the key is meant to be taken for that company's.
type Identity struct {
	Vendor       uint16
	Product      uint16
	Release      uint16 // bcdDevice: version 1.02 is 0x0102
	Manufacturer string // at most 126 UTF-16 units each; empty means none
	ProductName  string
	Serial       string
}

// Descriptor types (USB 2.0, table 9-5; HID 1.11, section 7.1).
const (
	typeDevice        = 1
	typeConfiguration = 2
	typeString        = 3
	typeInterface     = 4
	typeEndpoint      = 5
	typeHID           = 0x21
	typeReport        = 0x22
)

// Indices of the strings.
const (
	stringLanguages = iota
	stringManufacturer
	stringProduct
	stringSerial
	numStrings
)

// The one interface and its endpoints.
const (
	configurationValue = 1
	interfaceNumber    = 0
	endpointIn         = 0x81
	endpointOut        = 0x01
	interval           = 5 // milliseconds
)

var hidInterface = Interface{Class: 3}

// descriptors are all that a key answers to GET_DESCRIPTOR.
type descriptors struct {
	device        []byte
	configuration []byte
	hid           []byte
	report        []byte
	strings       [numStrings][]byte
}

const maxString = 126 // UTF-16 units; a descriptor's length is one byte

func newDescriptors(id Identity) (*descriptors, error) {
	d := &descriptors{report: descriptor.FIDO(hid.ReportSize)}
	d.strings[stringLanguages] = []byte{4, typeString, 0x09, 0x04} // English, United States
	texts := [...]string{stringManufacturer: id.Manufacturer, stringProduct: id.ProductName, stringSerial: id.Serial}
	for i := stringManufacturer; i < numStrings; i++ {
		units := utf16.Encode([]rune(texts[i]))
		if len(units) > maxString {
			return nil, fmt.Errorf("usbip: string %q has %d UTF-16 units, the limit of a USB string is %d", texts[i], len(units), maxString)
		}
		if len(units) > 0 {
			d.strings[i] = stringDescriptor(units)
		}
	}
	d.device = d.deviceDescriptor(id)
	// HID 1.11, section 6.2.1
	d.hid = []byte{9, typeHID, 0x11, 0x01, 0, 1, typeReport, byte(len(d.report)), 0}
	d.configuration = d.configurationDescriptor()
	return d, nil
}

func stringDescriptor(units []uint16) []byte {
	b := []byte{byte(2 + 2*len(units)), typeString}
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// index is the index of a string in the device descriptor: 0 when there is none.
func (d *descriptors) index(i byte) byte {
	if d.strings[i] == nil {
		return 0
	}
	return i
}

// deviceDescriptor follows USB 2.0, table 9-8.
func (d *descriptors) deviceDescriptor(id Identity) []byte {
	b := []byte{18, typeDevice, 0x00, 0x02, 0, 0, 0, 64}
	b = binary.LittleEndian.AppendUint16(b, id.Vendor)
	b = binary.LittleEndian.AppendUint16(b, id.Product)
	b = binary.LittleEndian.AppendUint16(b, id.Release)
	return append(b, d.index(stringManufacturer), d.index(stringProduct), d.index(stringSerial), 1)
}

// configurationDescriptor follows USB 2.0, tables 9-10, 9-12 and 9-13.
func (d *descriptors) configurationDescriptor() []byte {
	b := []byte{9, typeConfiguration, 0, 0, 1, configurationValue, 0, 0x80, 50} // bus-powered, 100 mA
	b = append(b, 9, typeInterface, interfaceNumber, 0, 2, hidInterface.Class, hidInterface.Subclass, hidInterface.Protocol, 0)
	b = append(b, d.hid...)
	for _, address := range []byte{endpointIn, endpointOut} {
		b = append(b, 7, typeEndpoint, address, 3, hid.ReportSize, 0, interval)
	}
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}
