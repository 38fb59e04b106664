// Package hidraw reaches security keys through Linux's hidraw nodes, as libfido2
// and browsers do: it lists them, follows them as they are plugged in and out, and
// opens one as a hid.Conn for the host's side.
//
// A key is known by the port it is in and by its serial number. The number in
// /dev/hidraw3 says nothing: it changes whenever a key is plugged in again.
//
// See Documentation/hid/hidraw.rst of the kernel, and linux/hidraw.h.
package hidraw

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fido-emu/hid/descriptor"
)

// Device is a FIDO device that is plugged in. Devices can be compared: a device that
// was plugged out and in again is another.
type Device struct {
	Path    string             // the node, such as /dev/hidraw3
	Name    string             // manufacturer and product as the device says them
	Bus     uint16             // BUS_USB is 3, BUS_BLUETOOTH 5 (linux/input.h)
	Vendor  uint16             //
	Product uint16             //
	Serial  string             // empty when the device has none
	Port    string             // USB bus and port path such as 1-2.3; HID_PHYS of a device that is not on USB
	Reports descriptor.Reports // the sizes that its report descriptor gives

	instance string // the place in sysfs, which has a number that is never used again
}

// String describes a device in a line for people.
func (d Device) String() string {
	s := fmt.Sprintf("%s: %04x:%04x %q, port %s", d.Path, d.Vendor, d.Product, d.Name, d.Port)
	if d.Serial != "" {
		s += ", serial " + d.Serial
	}
	return s
}

// emulated tells whether a program stands behind the device, by /dev/uhid.
func (d Device) emulated() bool { return strings.Contains(d.instance, "/misc/uhid/") }

// system says where the kernel shows devices.
type system struct {
	sys, dev string
}

var linux = system{sys: "/sys", dev: "/dev"}

// Devices lists the FIDO devices that are plugged in, ordered by port.
func Devices() ([]Device, error) { return linux.devices() }

func (s system) devices() ([]Device, error) {
	class := filepath.Join(s.sys, "class", "hidraw")
	entries, err := os.ReadDir(class)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel makes the directory when it has hidraw
	} else if err != nil {
		return nil, fmt.Errorf("hidraw: %w", err)
	}
	var found []Device
	for _, e := range entries {
		d, err := s.device(filepath.Join(class, e.Name(), "device"))
		if errors.Is(err, errOtherDevice) || errors.Is(err, fs.ErrNotExist) {
			continue // a keyboard, or plugged out in this moment
		} else if err != nil {
			return nil, fmt.Errorf("hidraw: %s: %w", e.Name(), err)
		}
		d.Path = filepath.Join(s.dev, e.Name())
		if _, err := os.Stat(d.Path); err != nil {
			continue // the node comes a moment after the entry in sysfs
		}
		found = append(found, d)
	}
	slices.SortFunc(found, func(a, b Device) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.Path, b.Path))
	})
	return found, nil
}

// errOtherDevice is a HID device that is not a FIDO device.
var errOtherDevice = errors.New("not a FIDO device")

// device reads the HID device at a place in sysfs.
func (s system) device(link string) (d Device, err error) {
	if d.instance, err = filepath.EvalSymlinks(link); err != nil {
		return d, err
	}
	raw, err := os.ReadFile(filepath.Join(d.instance, "report_descriptor"))
	if err != nil {
		return d, gone(err)
	}
	if d.Reports, err = descriptor.Parse(raw); err != nil {
		return d, fmt.Errorf("%w: %w", errOtherDevice, err)
	}
	uevent, err := os.ReadFile(filepath.Join(d.instance, "uevent"))
	if err != nil {
		return d, gone(err)
	}
	if err := d.identify(uevent); err != nil {
		return d, err
	}
	if port := usbPort(d.instance); port != "" {
		d.Port = port
	}
	return d, nil
}

// gone makes the error of reading a file of a device that has just left, which is
// ENODEV, one of a file that is not there.
func gone(err error) error {
	if isUnplugged(err) {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// identify takes what a HID device's uevent file says, lines of NAME=value.
func (d *Device) identify(uevent []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(uevent))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		switch name {
		case "HID_ID":
			if err := d.identifyBy(value); err != nil {
				return err
			}
		case "HID_NAME":
			d.Name = value
		case "HID_PHYS":
			d.Port = value
		case "HID_UNIQ":
			d.Serial = value
		}
	}
	return lines.Err()
}

// identifyBy takes bus, vendor and product in hexadecimal, as 0003:00001050:00000407.
func (d *Device) identifyBy(id string) error {
	parts := strings.Split(id, ":")
	into := []*uint16{&d.Bus, &d.Vendor, &d.Product}
	if len(parts) != len(into) {
		return fmt.Errorf("HID_ID %q is not bus:vendor:product", id)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 16, 16)
		if err != nil {
			return fmt.Errorf("HID_ID %q: %w", id, err)
		}
		*into[i] = uint16(n)
	}
	return nil
}

// usbDevice matches the names that the kernel gives to USB devices: bus, dash and
// ports.
var usbDevice = regexp.MustCompile(`^[0-9]+-[0-9]+(\.[0-9]+)*$`)

// usbPort returns the port path of the USB device that a place in sysfs belongs to:
// the nearest directory above it that is called like one.
func usbPort(place string) string {
	for ; place != filepath.Dir(place); place = filepath.Dir(place) {
		if name := filepath.Base(place); usbDevice.MatchString(name) {
			return name
		}
	}
	return ""
}
