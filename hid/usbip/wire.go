package usbip

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Version is the protocol version that this package speaks, in binary-coded decimal.
const Version = 0x0111

// Codes of requests and replies (usbip_protocol.rst, "Message Format"). A reply has
// the code of its request without the highest bit.
const (
	opReqImport  = 0x8003
	opRepImport  = 0x0003
	opReqDevlist = 0x8005
	opRepDevlist = 0x0005
)

// Status is what a server answers to a request (usbip_common.h of the kernel's
// tools).
type Status uint32

// The statuses that there are.
const (
	StatusOK       Status = 0
	StatusNA       Status = 1 // the request failed
	StatusDevBusy  Status = 2 // somebody has imported the device
	StatusDevError Status = 3 // the device is in an error state
	StatusNoDev    Status = 4 // there is no such device
	StatusError    Status = 5 // the conversation went wrong
)

var statusTexts = [...]string{"done", "request failed", "device busy (exported and in use)", "device in error state", "device not found", "unexpected response"}

// Error says what the status means.
func (s Status) Error() string {
	if int(s) < len(statusTexts) {
		return "usbip server: " + statusTexts[s]
	}
	return fmt.Sprintf("usbip server: unknown status %d", uint32(s))
}

// Speed is a USB speed as the protocol and the kernel number it (enum
// usb_device_speed).
type Speed uint32

// The speeds that a port of vhci_hcd takes.
const (
	SpeedLow       Speed = 1
	SpeedFull      Speed = 2
	SpeedHigh      Speed = 3
	SpeedSuper     Speed = 5
	SpeedSuperPlus Speed = 6
)

const (
	opHeaderSize  = 8
	busIDSize     = 32
	recordSize    = 312
	interfaceSize = 4
)

// opHeader starts every request and reply (OP_REQ_*, OP_REP_*).
type opHeader struct {
	Version uint16
	Code    uint16
	Status  Status
}

// record is a device in OP_REP_DEVLIST and OP_REP_IMPORT, 312 bytes.
type record struct {
	Path                             [256]byte
	BusID                            [busIDSize]byte
	BusNum, DevNum                   uint32
	Speed                            Speed
	Vendor, Product, Release         uint16
	Class, Subclass, Protocol        uint8
	Configuration                    uint8
	NumConfigurations, NumInterfaces uint8
}

// Interface is the class of one interface of a device.
type Interface struct {
	Class, Subclass, Protocol uint8
	_                         uint8
}

// Device is an exported device as a server describes it.
type Device struct {
	BusID      string // the name to import it by
	Path       string // where the server says that it has it
	BusNum     uint32 // its bus and device number there
	DevNum     uint32
	Speed      Speed
	Vendor     uint16
	Product    uint16
	Release    uint16      // bcdDevice
	Interfaces []Interface // only in a list
}

// DevID is the number by which URBs name the device.
func (d Device) DevID() uint32 { return d.BusNum<<16 | d.DevNum&0xffff }

func newRecord(d Device) record {
	r := record{
		BusNum: d.BusNum, DevNum: d.DevNum, Speed: d.Speed,
		Vendor: d.Vendor, Product: d.Product, Release: d.Release,
		Configuration: 1, NumConfigurations: 1, NumInterfaces: uint8(len(d.Interfaces)),
	}
	copy(r.Path[:len(r.Path)-1], d.Path)
	copy(r.BusID[:len(r.BusID)-1], d.BusID)
	return r
}

func (r record) device() Device {
	return Device{
		BusID: cString(r.BusID[:]), Path: cString(r.Path[:]),
		BusNum: r.BusNum, DevNum: r.DevNum, Speed: r.Speed,
		Vendor: r.Vendor, Product: r.Product, Release: r.Release,
	}
}

// cString returns the bytes before the first zero.
func cString(b []byte) string {
	before, _, _ := bytes.Cut(b, []byte{0})
	return string(before)
}

// appendWire appends v, of fixed size, in the protocol's byte order.
func appendWire(b []byte, v any) []byte {
	b, err := binary.Append(b, binary.BigEndian, v)
	if err != nil {
		panic(err) // v is of no fixed size: a mistake in this package
	}
	return b
}

// readWire reads size bytes into v.
func readWire(r io.Reader, size int, v any) error {
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	_, err := binary.Decode(b, binary.BigEndian, v)
	return err
}
