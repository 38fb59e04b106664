package usb

import (
	"context"
	"fmt"
	"strings"
)

// library is what this package needs of a USB library. Its errors wrap
// hid.ErrUnplugged, ErrBusy, ErrPermission or errBroken where they mean that.
type library interface {
	// devices describes what is plugged in and opens nothing. The error tells of
	// devices that could not be described.
	devices() ([]description, error)
	// open opens the device with a bus and an address.
	open(bus, address int) (handle, error)
	close() error
}

// handle is an open device.
type handle interface {
	// control performs a control transfer that reads (USB 2.0, section 9.3).
	control(requestType, request byte, value, index uint16, data []byte) (int, error)
	// texts returns what the device says of itself; what it does not say is empty.
	texts() (manufacturer, product, serial string)
	// claim takes an interface for this program, and takes a driver off it if it may.
	claim(i hidInterface, detach bool) (claim, error)
	close() error
}

// claim is an interface that this program has.
type claim interface {
	read(ctx context.Context, buffer []byte) (int, error)
	write(ctx context.Context, report []byte) (int, error)
	release() error // gives it back, and to its driver
}

// errBroken is a transfer that failed on the bus, as do those that are under way when
// a device is pulled out.
var errBroken = fmt.Errorf("the transfer failed on the bus")

// description is what the descriptors of a device say, as far as it matters here.
type description struct {
	bus, address    int
	ports           []int // from the root hub; empty for the root hub itself
	vendor, product uint16
	interfaces      []hidInterface
}

// hidInterface is an interface of class HID with one interrupt endpoint for each
// direction.
type hidInterface struct {
	configuration int
	number        int
	in, out       int // endpoint numbers
	packet        int // the longest packet from the device in bytes
}

// port is the name that Linux gives to the device's place.
func (d description) port() string {
	ports := make([]string, len(d.ports))
	for i, p := range d.ports {
		ports[i] = fmt.Sprint(p)
	}
	return fmt.Sprintf("%d-%s", d.bus, strings.Join(ports, "."))
}
