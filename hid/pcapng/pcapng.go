// Package pcapng writes the reports of a security key to a file that Wireshark opens:
// pcapng (draft-ietf-opsawg-pcapng) with packets as Linux's usbmon captures them,
// link type LINKTYPE_USB_LINUX_MMAPPED (220), whose header is libpcap's
// pcap_usb_header_mmapped. Each packet can carry a comment, which Wireshark shows.
//
// A capture begins with the descriptors of a FIDO key, as if the host had just asked
// for them, because Wireshark only then knows that it sees a HID device.
package pcapng

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
)

// order is the byte order of a capture.
var order = binary.LittleEndian

// Block types and options of pcapng.
const (
	sectionHeader   = 0x0A0D0D0A
	interfaceHeader = 1
	enhancedPacket  = 6

	byteOrderMagic = 0x1A2B3C4D
	linkUSBMmapped = 220

	optionEnd        = 0
	optionComment    = 1
	optionName       = 2 // of an interface
	optionResolution = 9 // of an interface: time stamps in 10^-n seconds
	nanoseconds      = 9 // that n
)

// What usbmon says of a transfer.
const (
	headerSize = 64

	submit   = 'S'
	complete = 'C'

	interrupt = 1
	control   = 2

	endpointIn  = 0x81
	endpointOut = 0x01
	controlIn   = 0x80

	inProgress = -115 // -EINPROGRESS
)

// The device that a capture is of.
const (
	bus     = 1
	address = 1
)

// Writer writes a capture of one key. It is for one goroutine at a time.
type Writer struct {
	w     io.Writer
	began bool
	id    uint64 // of the transfer
}

// NewWriter begins a capture; name is what Wireshark calls the interface.
func NewWriter(w io.Writer, name string) (*Writer, error) {
	var section, iface []byte
	section = order.AppendUint32(section, byteOrderMagic)
	section = order.AppendUint32(section, 1)          // version 1.0
	section = order.AppendUint64(section, ^uint64(0)) // length not known
	iface = order.AppendUint32(iface, linkUSBMmapped)
	iface = order.AppendUint32(iface, 0) // whole packets
	iface = option(iface, optionName, []byte(name))
	iface = option(iface, optionResolution, []byte{nanoseconds})
	iface = option(iface, optionEnd, nil)
	p := &Writer{w: w}
	if err := p.block(sectionHeader, section); err != nil {
		return nil, err
	}
	return p, p.block(interfaceHeader, iface)
}

// Report adds a report as it passed at a time, with a comment unless that is empty.
func (p *Writer) Report(at time.Time, way hid.Direction, r hid.Report, comment string) error {
	if !p.began {
		if err := p.enumerate(at, len(r)); err != nil {
			return err
		}
		p.began = true
	}
	p.id++
	t := transfer{kind: complete, transfer: interrupt, endpoint: endpointIn, data: r}
	if way == hid.ToDevice {
		t.kind, t.endpoint, t.status = submit, endpointOut, inProgress
	}
	return p.packet(at, t, comment)
}

// enumerate adds a host's requests for the descriptors, and their answers.
func (p *Writer) enumerate(at time.Time, size int) error {
	report := descriptor.FIDO(uint8(size))
	for _, d := range []struct {
		recipient, kind byte
		data            []byte
	}{
		{0, typeDevice, deviceDescriptor()},
		{0, typeConfiguration, configurationDescriptor(len(report))},
		{1, typeReport, report},
	} {
		p.id++
		setup := []byte{0x80 | d.recipient, 6, 0, d.kind, 0, 0, byte(len(d.data)), byte(len(d.data) >> 8)} // GET_DESCRIPTOR
		request := transfer{kind: submit, transfer: control, endpoint: controlIn, status: inProgress, setup: setup, length: len(d.data)}
		answer := transfer{kind: complete, transfer: control, endpoint: controlIn, data: d.data}
		if err := p.packet(at, request, ""); err != nil {
			return err
		}
		if err := p.packet(at, answer, ""); err != nil {
			return err
		}
	}
	return nil
}

// transfer is one URB as usbmon sees it, when it is submitted or completed.
type transfer struct {
	kind, transfer, endpoint byte
	status                   int32
	setup                    []byte // 8 bytes, of a control transfer's submission
	data                     []byte
	length                   int // of the URB, where that is not the data's
}

// header is struct pcap_usb_header_mmapped (libpcap, pcap/usb.h).
func (t transfer) header(id uint64, at time.Time) []byte {
	setupFlag, dataFlag := byte('-'), byte(0)
	if t.setup != nil {
		setupFlag = 0
	}
	if t.data == nil {
		dataFlag = '<'
	}
	b := make([]byte, 0, headerSize+len(t.data))
	b = order.AppendUint64(b, id)
	b = append(b, t.kind, t.transfer, t.endpoint, address)
	b = order.AppendUint16(b, bus)
	b = append(b, setupFlag, dataFlag)
	b = order.AppendUint64(b, uint64(at.Unix()))
	b = order.AppendUint32(b, uint32(at.Nanosecond()/1000))
	b = order.AppendUint32(b, uint32(t.status))
	b = order.AppendUint32(b, uint32(max(t.length, len(t.data))))
	b = order.AppendUint32(b, uint32(len(t.data)))
	b = append(b, append(t.setup[:len(t.setup):len(t.setup)], make([]byte, 8-len(t.setup))...)...)
	b = order.AppendUint32(b, interval)
	return append(b, make([]byte, headerSize-len(b))...) // start frame, flags, ISO descriptors: none
}

func (p *Writer) packet(at time.Time, t transfer, comment string) error {
	packet := append(t.header(p.id, at), t.data...)
	stamp := uint64(at.UnixNano())
	var b []byte
	b = order.AppendUint32(b, 0) // the interface
	b = order.AppendUint32(b, uint32(stamp>>32))
	b = order.AppendUint32(b, uint32(stamp))
	b = order.AppendUint32(b, uint32(len(packet)))
	b = order.AppendUint32(b, uint32(len(packet)))
	b = padded(append(b, packet...))
	if comment != "" {
		b = option(b, optionComment, []byte(comment))
		b = option(b, optionEnd, nil)
	}
	return p.block(enhancedPacket, b)
}

// block writes a block in one piece, so that a capture that is cut short ends between
// two.
func (p *Writer) block(kind uint32, body []byte) error {
	length := uint32(len(body) + 12)
	b := make([]byte, 0, length)
	b = order.AppendUint32(b, kind)
	b = order.AppendUint32(b, length)
	b = append(b, body...)
	b = order.AppendUint32(b, length)
	if _, err := p.w.Write(b); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	return nil
}

// option appends an option of a block. A longer one than fits is cut short.
func option(b []byte, code uint16, value []byte) []byte {
	value = value[:min(len(value), 0xFFFF)]
	b = order.AppendUint16(b, code)
	b = order.AppendUint16(b, uint16(len(value)))
	return padded(append(b, value...))
}

// padded fills up to four bytes.
func padded(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
