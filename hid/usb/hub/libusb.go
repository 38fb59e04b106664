//go:build cgo

package hub

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/gousb"

	"fido-emu/hid"
)

// controlTimeout bounds a control transfer. libusb's own default is to wait for ever.
const controlTimeout = 2 * time.Second

// libusb is the library, through gousb.
type libusb struct {
	context *gousb.Context
}

// newLibrary starts libusb. gousb panics when that fails.
func newLibrary() (l library, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("libusb does not start: %v", reason)
		}
	}()
	return libusb{gousb.NewContext()}, nil
}

func (l libusb) close() error { return l.context.Close() }

func (l libusb) hubs() (found []description, err error) {
	_, err = l.context.OpenDevices(func(d *gousb.DeviceDesc) bool {
		if d.Class == gousb.ClassHub {
			found = append(found, description{d.Bus, d.Address, d.Path, uint16(d.Vendor), uint16(d.Product), d.Speed == gousb.SpeedSuper})
		}
		return false
	})
	return found, meaning(err)
}

func (l libusb) open(h description) (handle, error) {
	opened, err := l.context.OpenDevices(func(d *gousb.DeviceDesc) bool { return d.Bus == h.bus && d.Address == h.address })
	if len(opened) == 0 {
		if err == nil {
			err = gousb.ErrorNoDevice
		}
		return nil, meaning(err)
	}
	opened[0].ControlTimeout = controlTimeout
	return device{opened[0]}, nil // err is about another device's descriptors
}

// device is an open device.
type device struct {
	opened *gousb.Device
}

func (d device) close() error { return d.opened.Close() }

func (d device) control(requestType, request byte, value, index uint16, data []byte) (int, error) {
	n, err := d.opened.Control(requestType, request, value, index, data)
	return n, meaning(err)
}

// meaning adds to an error of gousb what it means. gousb keeps some errors of libusb
// as text alone.
func meaning(err error) error {
	for _, m := range []struct{ of, is error }{
		{gousb.ErrorNoDevice, hid.ErrUnplugged},
		{gousb.ErrorAccess, ErrPermission},
	} {
		if err != nil && (errors.Is(err, m.of) || strings.Contains(err.Error(), m.of.Error())) {
			return fmt.Errorf("%w: %w", m.is, err)
		}
	}
	return err
}
