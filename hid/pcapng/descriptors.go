package pcapng

// Descriptor types (USB 2.0, table 9-5; HID 1.11, section 7.1).
const (
	typeDevice        = 1
	typeConfiguration = 2
	typeInterface     = 4
	typeEndpoint      = 5
	typeHID           = 0x21
	typeReport        = 0x22
)

// interval is how often the endpoints are polled, in milliseconds.
const interval = 5

// deviceDescriptor is USB 2.0, table 9-8, with the identifiers that pid.codes keeps for
// testing.
func deviceDescriptor() []byte {
	return []byte{18, typeDevice, 0x00, 0x02, 0, 0, 0, 64, 0x09, 0x12, 0x01, 0x00, 0, 1, 0, 0, 0, 1}
}

// configurationDescriptor is USB 2.0, tables 9-10, 9-12 and 9-13, and HID 1.11,
// section 6.2.1: one HID interface with an endpoint in each direction.
func configurationDescriptor(report int) []byte {
	b := []byte{9, typeConfiguration, 0, 0, 1, 1, 0, 0x80, 50}
	b = append(b, 9, typeInterface, 0, 0, 2, 3, 0, 0, 0)
	b = append(b, 9, typeHID, 0x11, 0x01, 0, 1, typeReport, byte(report), byte(report>>8))
	b = append(b, 7, typeEndpoint, endpointIn, 3, 64, 0, interval)
	b = append(b, 7, typeEndpoint, endpointOut, 3, 64, 0, interval)
	order.PutUint16(b[2:], uint16(len(b)))
	return b
}
