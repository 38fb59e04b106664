package usbip

import "encoding/binary"

// setup is the SETUP packet of a control transfer (USB 2.0, section 9.3).
type setup struct {
	kind   uint16 // bmRequestType and bRequest, as in the list below
	value  uint16
	index  uint16
	length uint16
}

func parseSetup(b [8]byte) setup {
	return setup{
		kind:   binary.BigEndian.Uint16(b[0:]),
		value:  binary.LittleEndian.Uint16(b[2:]),
		index:  binary.LittleEndian.Uint16(b[4:]),
		length: binary.LittleEndian.Uint16(b[6:]),
	}
}

// Requests that a key knows: bmRequestType in the upper byte, bRequest in the lower
// (USB 2.0, table 9-3; HID 1.11, sections 7.1 and 7.2).
const (
	getDeviceStatus   = 0x8000
	setAddress        = 0x0005
	getDescriptor     = 0x8006
	getConfiguration  = 0x8008
	setConfiguration  = 0x0009
	getIfaceStatus    = 0x8100
	getHIDDescriptor  = 0x8106
	getInterface      = 0x810a
	setInterface      = 0x010b
	getEndpointStatus = 0x8200
	clearEndpoint     = 0x0201
	setEndpoint       = 0x0203
	hidGetReport      = 0xa101
	hidGetIdle        = 0xa102
	hidSetReport      = 0x2109
	hidSetIdle        = 0x210a
)

// Report types of GET_REPORT and SET_REPORT, in the upper byte of wValue (HID 1.11,
// section 7.2.1). The lower byte is the report number, which FIDO does without.
const (
	reportInput  = 0x0100
	reportOutput = 0x0200
)

// featureHalt is ENDPOINT_HALT (USB 2.0, table 9-6).
const featureHalt = 0

// control answers a control request with the data for the host. Not ok is STALL,
// which is what a device says to all that it does not support. The caller holds k.mu.
func (k *Key) control(s setup) (reply []byte, ok bool) {
	switch s.kind {
	case getDeviceStatus:
		return []byte{0, 0}, true // bus-powered, no remote wake-up
	case setAddress:
		return nil, true // the host controller has addressed the device
	case getDescriptor:
		return k.descriptor(s.value)
	case getConfiguration:
		return []byte{k.configuration}, true
	case setConfiguration:
		return nil, k.configure(s.value)
	case getEndpointStatus, clearEndpoint, setEndpoint:
		return k.endpointRequest(s)
	}
	return k.interfaceRequest(s)
}

// interfaceRequest answers requests to the interface, which exists once the device
// is configured. The report descriptor is given to whoever asks.
func (k *Key) interfaceRequest(s setup) (reply []byte, ok bool) {
	if s.index != interfaceNumber {
		return nil, false
	}
	if s.kind == getHIDDescriptor {
		return k.hidDescriptor(s.value)
	}
	if k.configuration == 0 {
		return nil, false
	}
	switch s.kind {
	case getIfaceStatus:
		return []byte{0, 0}, true
	case getInterface:
		return []byte{0}, true
	case setInterface:
		return nil, s.value == 0
	case hidSetIdle:
		k.idle = byte(s.value >> 8)
		return nil, true
	case hidGetIdle:
		return []byte{k.idle}, true
	case hidGetReport:
		// The state of the input data between messages: channel 0, which is nobody's.
		return make([]byte, reportSize), s.value == reportInput
	}
	return nil, false
}

// descriptor returns a standard descriptor; value has its type and index.
func (k *Key) descriptor(value uint16) (reply []byte, ok bool) {
	index := value & 0xff
	switch value >> 8 {
	case typeDevice:
		return k.descriptors.device, index == 0
	case typeConfiguration:
		return k.descriptors.configuration, index == 0
	case typeString:
		if index < numStrings {
			reply = k.descriptors.strings[index]
		}
		return reply, reply != nil
	}
	return nil, false // no qualifier: full speed only; no BOS: USB 2.0
}

// hidDescriptor returns a descriptor of the interface.
func (k *Key) hidDescriptor(value uint16) (reply []byte, ok bool) {
	switch value {
	case typeHID << 8:
		return k.descriptors.hid, true
	case typeReport << 8:
		return k.descriptors.report, true
	}
	return nil, false
}

// configure selects a configuration. What was on its way in the old one is lost
// (USB 2.0, section 9.1.1.5).
func (k *Key) configure(value uint16) bool {
	if value > configurationValue {
		return false
	}
	k.configuration = byte(value)
	k.dropTransfers()
	return true
}

// endpointRequest reads or changes whether an endpoint is halted (USB 2.0, section
// 9.4.5). Endpoint 0 is never.
func (k *Key) endpointRequest(s setup) (reply []byte, ok bool) {
	e := k.endpoint(s.index)
	if e == nil {
		return []byte{0, 0}, s.kind == getEndpointStatus && s.index&^0x80 == 0
	}
	if s.kind == getEndpointStatus {
		return []byte{e.haltedBit(), 0}, true
	}
	if s.value != featureHalt {
		return nil, false
	}
	if e.halted = s.kind == setEndpoint; e.halted {
		k.stallParked(e)
	}
	return nil, true
}

// endpoint returns an interrupt endpoint by its address, nil when there is none or
// the device is not configured.
func (k *Key) endpoint(address uint16) *endpoint {
	switch {
	case k.configuration == 0:
		return nil
	case address == endpointIn:
		return &k.in
	case address == endpointOut:
		return &k.out
	}
	return nil
}
