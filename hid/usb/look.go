package usb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fido-emu/hid/descriptor"
)

// GET_DESCRIPTOR of the report descriptor (HID 1.11, section 7.1.1).
const (
	requestTypeInterfaceIn = 0x81
	requestGetDescriptor   = 0x06
	valueReportDescriptor  = 0x2200
)

// look finds out whether an interface is FIDO's, and whose. The error is
// descriptor.ErrNotFIDO when it is not.
func (b *Bus) look(d description, i hidInterface) (Device, error) {
	device := Device{Port: d.port(), Address: d.address, Vendor: d.vendor, Product: d.product, Interface: i.number}
	if raw, ok := b.shown(d, i); ok {
		device.Manufacturer, device.ProductName, device.Serial = b.shownText(d, "manufacturer"), b.shownText(d, "product"), b.shownText(d, "serial")
		var err error
		device.Reports, err = descriptor.Parse(raw)
		return device, err
	}
	return device, b.ask(&device, d, i)
}

// shown is the report descriptor that Linux has read when it gave the interface to its
// driver.
func (b *Bus) shown(d description, i hidInterface) (raw []byte, ok bool) {
	port := d.port()
	found, _ := filepath.Glob(filepath.Join(b.system, port, fmt.Sprintf("%s:%d.%d", port, i.configuration, i.number), "*", "report_descriptor"))
	if len(found) != 1 {
		return nil, false
	}
	raw, err := os.ReadFile(found[0])
	return raw, err == nil
}

func (b *Bus) shownText(d description, name string) string {
	text, _ := os.ReadFile(filepath.Join(b.system, d.port(), name)) // a device may have none
	return strings.TrimSuffix(string(text), "\n")
}

// ask asks the device itself.
func (b *Bus) ask(device *Device, d description, i hidInterface) error {
	h, err := b.library.open(d.bus, d.address)
	if err != nil {
		return err
	}
	c, err := h.claim(i, false)
	if err != nil {
		return errors.Join(err, h.close())
	}
	device.Reports, err = reports(h, i)
	if err == nil {
		device.Manufacturer, device.ProductName, device.Serial = h.texts()
	}
	return errors.Join(err, c.release(), h.close())
}

// reports asks for the report descriptor of a claimed interface.
func reports(h handle, i hidInterface) (descriptor.Reports, error) {
	raw := make([]byte, descriptor.MaxSize)
	n, err := h.control(requestTypeInterfaceIn, requestGetDescriptor, valueReportDescriptor, uint16(i.number), raw)
	if err != nil {
		return descriptor.Reports{}, fmt.Errorf("asking for the report descriptor: %w", err)
	}
	return descriptor.Parse(raw[:n])
}
