package hub

import (
	"encoding/binary"
	"fmt"
)

// Requests of USB 2.0, tables 9-4 and 11-15 to 11-17.
const (
	hubIn   = 0xA0 // class, device, to the host
	portIn  = 0xA3 // class, other, to the host
	portOut = 0x23 // class, other, to the device
	deviceI = 0x80 // standard, device, to the host

	getStatus     = 0
	clearFeature  = 1
	setFeature    = 3
	getDescriptor = 6

	portPower = 8

	descriptorHub   = 0x2900 // of USB 2 hubs
	descriptorSuper = 0x2A00 // of USB 3 hubs
	descriptorBOS   = 0x0F00
)

// maxDescriptor bounds a hub descriptor: 255 ports need 71 bytes.
const maxDescriptor = 71

// maxBOS bounds what is read of a binary object store, in bytes.
const maxBOS = 1024

func (d description) descriptorValue() uint16 {
	if d.super {
		return descriptorSuper
	}
	return descriptorHub
}

// parseDescriptor reads a hub descriptor (USB 2.0, table 11-13; USB 3.2, table 10-3).
func parseDescriptor(raw []byte) (ports int, s Switching, err error) {
	if len(raw) < 7 || raw[1] != descriptorHub>>8 && raw[1] != descriptorSuper>>8 {
		return 0, 0, fmt.Errorf("% X is none", raw)
	}
	s = Switching(binary.LittleEndian.Uint16(raw[3:]) & 3)
	return int(raw[2]), min(s, Without), nil
}

// parseStatus reads wPortStatus (USB 2.0, table 11-21; USB 3.2, table 10-13): the bit
// for power is another one in USB 3.
func parseStatus(raw []byte, super bool) Status {
	bits, power := binary.LittleEndian.Uint16(raw), uint16(0x0100)
	if super {
		power = 0x0200
	}
	return Status{Powered: bits&power != 0, Connected: bits&1 != 0, Raw: bits}
}

// containerID is the same in both halves of a device.
type containerID [16]byte

// container asks a device for its container id.
func container(h handle) (id containerID, ok bool) {
	raw := make([]byte, maxBOS)
	n, err := h.control(deviceI, getDescriptor, descriptorBOS, 0, raw)
	if err != nil {
		return id, false // a device need not have any
	}
	return parseContainer(raw[:n])
}

// parseContainer looks for the container id in a binary object store (USB 3.2, sections
// 9.6.2 and 9.6.2.3).
func parseContainer(raw []byte) (id containerID, ok bool) {
	const header, capability, kind = 5, 0x10, 0x04
	for at := header; at+3 <= len(raw); at += int(raw[at]) {
		size := int(raw[at])
		if size < 3 || at+size > len(raw) {
			return id, false
		}
		if raw[at+1] == capability && raw[at+2] == kind && size >= 20 {
			copy(id[:], raw[at+4:at+20])
			return id, id != containerID{}
		}
	}
	return id, false
}
