// Package usb reaches security keys through libusb, past the operating system's HID
// driver, which is taken off the key's interface while a connection is open and given
// back afterwards. It works where there is no hidraw, and shows errors of the bus that
// hidraw hides.
//
// A key is known by the port it is in and by its serial number.
//
// The package needs cgo and libusb (Debian: libusb-1.0-0-dev). Built without cgo it is
// there, and [NewBus] says what is missing.
package usb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
)

// Reasons for which there is no connection. The error's text says how to help it.
var (
	// ErrNotBuilt means that the program was built without cgo.
	ErrNotBuilt = errors.New("built without libusb; build with CGO_ENABLED=1 and libusb's headers (Debian: libusb-1.0-0-dev)")
	// ErrBusy means that another program has claimed the key's interface.
	ErrBusy = errors.New("another program uses the key over USB")
	// ErrPermission means that the user may not open the key.
	ErrPermission = errors.New("no permission to open the key")
	// ErrNone means that no key is the one that is meant.
	ErrNone = errors.New("no such FIDO device is plugged in")
	// ErrSeveral means that more than one is.
	ErrSeveral = errors.New("several FIDO devices are meant")
)

// Device is a FIDO interface of a USB device that is plugged in. Devices can be
// compared: one that was plugged out and in again is another.
type Device struct {
	Port         string // bus and port path, as in 1-2.3
	Address      int    // on the bus; another one each time that it is plugged in
	Vendor       uint16
	Product      uint16
	Manufacturer string // as the device says it; empty when it does not
	ProductName  string
	Serial       string
	Interface    int                // its number
	Reports      descriptor.Reports // the sizes that its report descriptor gives
}

// String describes a device in a line for people.
func (d Device) String() string {
	s := fmt.Sprintf("port %s: %04x:%04x %q", d.Port, d.Vendor, d.Product, strings.TrimSpace(d.Manufacturer+" "+d.ProductName))
	if d.Serial != "" {
		s += ", serial " + d.Serial
	}
	return s
}

// Select returns the one device with a port and a serial number; either may be empty,
// which stands for any. The error wraps ErrNone or ErrSeveral and lists what there is.
func Select(devices []Device, port, serial string) (Device, error) {
	var found []Device
	for _, d := range devices {
		if (port == "" || port == d.Port) && (serial == "" || serial == d.Serial) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return Device{}, fmt.Errorf("usb: %w%s; plugged in: %d%s", ErrNone, wanted(port, serial), len(devices), lines(devices))
	case 1:
		return found[0], nil
	}
	return Device{}, fmt.Errorf("usb: %w%s; say which by port or serial number:%s", ErrSeveral, wanted(port, serial), lines(found))
}

func wanted(port, serial string) (s string) {
	if port != "" {
		s += ", port " + port
	}
	if serial != "" {
		s += ", serial " + serial
	}
	return s
}

func lines(devices []Device) (s string) {
	for _, d := range devices {
		s += "\n  " + d.String()
	}
	return s
}

// Bus is the way to all that is plugged in. It is safe for concurrent use.
type Bus struct {
	library library
	system  string // where the kernel shows USB devices; nothing there is no error
}

// NewBus starts libusb. The error is ErrNotBuilt in a program without it.
func NewBus() (*Bus, error) {
	l, err := newLibrary()
	if err != nil {
		return nil, fmt.Errorf("usb: %w", err)
	}
	return &Bus{library: l, system: "/sys/bus/usb/devices"}, nil
}

// Close ends libusb. All connections must be closed before.
func (b *Bus) Close() error {
	if err := b.library.close(); err != nil {
		return fmt.Errorf("usb: %w", err)
	}
	return nil
}

// Devices lists the FIDO devices that are plugged in, ordered by port. It takes no
// driver off anything: an interface that a driver has is read from where Linux shows
// it, any other is asked for its report descriptor. The error tells of what could not
// be asked; what was found comes with it.
func (b *Bus) Devices(ctx context.Context) ([]Device, error) {
	all, err := b.library.devices()
	errs := []error{err}
	var found []Device
	for _, d := range all {
		for _, i := range d.interfaces {
			if ctx.Err() != nil {
				return found, ctx.Err()
			}
			device, err := b.look(d, i)
			switch {
			case err == nil:
				found = append(found, device)
			case !errors.Is(err, descriptor.ErrNotFIDO) && !errors.Is(err, hid.ErrUnplugged):
				errs = append(errs, fmt.Errorf("usb: %s, interface %d: %w", d.port(), i.number, err))
			}
		}
	}
	slices.SortFunc(found, func(a, b Device) int {
		return cmp.Or(comparePorts(a.Port, b.Port), a.Interface-b.Interface)
	})
	return found, errors.Join(errs...)
}

// comparePorts orders port paths by their numbers.
func comparePorts(a, b string) int {
	numbers := func(port string) (n []int) {
		for part := range strings.FieldsFuncSeq(port, func(r rune) bool { return r == '-' || r == '.' }) {
			i, _ := strconv.Atoi(part) // made from numbers
			n = append(n, i)
		}
		return n
	}
	return slices.Compare(numbers(a), numbers(b))
}
